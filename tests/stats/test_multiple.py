import numpy as np

from paraspec.stats.multiple import corrected

P = np.array([0.04, np.nan, 0.001, 0.03, 0.5])


def test_holm_steps_down_over_the_defined_ones():
    # Sorted .001 .03 .04 .5 times 4 3 2 1; then never falling.
    expected = [0.09, np.nan, 0.004, 0.09, 0.5]
    np.testing.assert_allclose(corrected(P, "holm"), expected)


def test_benjamini_hochberg_steps_up():
    # Sorted .001 .03 .04 .5 times 4/1 4/2 4/3 4/4; then never rising from the top.
    expected = [0.16 / 3, np.nan, 0.004, 0.16 / 3, 0.5]
    np.testing.assert_allclose(corrected(P, "fdr_bh"), expected)


def test_nothing_defined_stays_undefined():
    assert np.isnan(corrected([np.nan, np.nan], "holm")).all()
    assert corrected([], "holm").size == 0

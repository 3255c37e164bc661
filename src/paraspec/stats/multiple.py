"""Corrections of p values for the number of tests."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from statsmodels.stats.multitest import multipletests

from paraspec.stats.bootstrap import FloatArray

Correction = Literal["holm", "fdr_bh"]


def corrected(p: Iterable[float], how: Correction) -> FloatArray:
    """P values corrected over those that are defined; NaN stays NaN.

    Notes
    -----
    ``holm`` bounds the chance of any false finding (Holm 1979), ``fdr_bh`` the expected
    share of false ones among the findings (Benjamini & Hochberg 1995).

    >>> corrected([0.01, 0.02, np.nan], "holm")
    array([0.02, 0.02,  nan])
    """
    values = np.array(list(p), dtype=np.float64)
    found = np.full(values.shape, np.nan)
    there = np.isfinite(values)
    if there.any():
        found[there] = multipletests(values[there], method=how)[1]
    return found

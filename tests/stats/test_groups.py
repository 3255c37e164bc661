"""Tiers and controls against plain pandas, and against each other."""

import numpy as np
import pytest
from tests.stats.test_pss import naive

from paraspec.core.definitions import ALL
from paraspec.core.table import checked
from paraspec.core.tables.across_models import CONTROLS
from paraspec.stats.groups import CONTRAST

MODEL = "llama-64"


def level_of(frame, group, level, model=MODEL, mask="top"):
    rows = frame[(frame["model"] == model) & (frame["mask"] == mask)]
    rows = rows[(rows["group"] == group) & (rows["level"] == level)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("group", "level", "value"),
    [
        ("exposure", "8", 8),
        ("tier", "mid", "mid"),
        ("category", "city", "city"),
    ],
)
@pytest.mark.parametrize("mask", ["top", "random"])
def test_a_level_is_the_same_effect_on_its_concepts(
    found, items_of, group, level, value, mask
):
    items = items_of(MODEL)
    some = items[items[group] == value]
    row = level_of(found["tiers"], group, level, mask=mask)
    pss, signed = naive(some, mask, 0.1)
    assert row["signed"] == pytest.approx(signed)
    assert row["pss"] == pytest.approx(pss)
    assert row["n_concepts"] == some["concept"].nunique()


def test_origin_uses_country_derived_items_of_both_sets(found, items_of):
    items = items_of(MODEL)
    derived = items["item"].str.contains(r"\.r[0-2]$") & items["item_concept"].astype(
        str
    ).map(lambda c: int(c[-3:]) % 3 == 0)
    row = level_of(found["tiers"], "origin", "country-derived")
    some = items[derived]
    own = some[(some["mask"] == "none") & (some["set"] == "concept")]
    assert row["n_items"] == len(own)
    assert row["accuracy"] == pytest.approx(own["correct"].mean())


@pytest.mark.parametrize(("group", "ends"), [("exposure", "81"), ("tier", None)])
def test_a_contrast_is_highest_minus_lowest(found, group, ends):
    high, low = ends or ("high", "low")
    rows = [level_of(found["tiers"], group, level) for level in (high, low, CONTRAST)]
    for name in ("signed", "accuracy", "pss"):
        assert rows[2][name] == pytest.approx(rows[0][name] - rows[1][name])


def test_the_pooled_row_is_the_mean_of_dense_models(found, study):
    dense = [r.card.model for r in study.primary_models]
    each = [level_of(found["tiers"], "tier", CONTRAST, m)["signed"] for m in dense]
    pooled = level_of(found["tiers"], "tier", CONTRAST, ALL)
    assert pooled["signed"] == pytest.approx(np.mean(each))
    estimates = found["estimates"].set_index("id")
    assert np.isnan(estimates.loc["frequency.tier.top", "estimate"])  # of published
    pooled = level_of(found["tiers"], "exposure", CONTRAST, ALL)
    row = estimates.loc["frequency.exposure.top"]
    assert row["estimate"] == pytest.approx(pooled["signed"])
    assert row["estimate_low"] == pytest.approx(pooled["signed_low"])


KEYS = ["model", "mask", "selector", "ablation"]


def keyed(controls):
    """Rows of zero ablation, and of the paper's selector, by model and mask."""
    rows = controls[controls["ablation"] == "zero"]
    rows = rows[(rows["mask"] != "top") | (rows["selector"] == "difference")]
    return rows.set_index(["model", "mask"])


def test_controls_have_one_row_for_each_model_and_kind(found):
    assert not found["controls"].duplicated(KEYS).any()


def test_controls_equal_the_pss_table(found, study):
    controls = keyed(found["controls"])
    for record in study.records[:4]:
        for mask in ("top", "random", "swap", "top-insample"):
            rows = record.pss[
                (record.pss["mask"] == mask) & (record.pss["at"] == "ratio")
            ]
            rows = rows[rows["selector"].isin(["difference", "random"])]
            rows = rows[rows["kinship"] == "same-category"]
            row = rows[np.isclose(rows["ratio"], record.primary)].iloc[0]
            mine = controls.loc[(record.card.model, mask)]
            for name in ("signed", "signed_low", "signed_high", "pss"):
                assert mine[name] == pytest.approx(row[name], abs=1e-5)


def test_controls_are_paired_with_the_top_mask(found):
    controls = keyed(found["controls"])
    top, swap = controls.loc[(MODEL, "top")], controls.loc[(MODEL, "swap")]
    assert swap["top_minus"] == pytest.approx(top["signed"] - swap["signed"])
    assert top["top_minus"] == 0
    assert controls.loc[(MODEL, "random"), "draws"] == 4


def test_a_missing_control_is_nan_and_a_reason(study):
    from tests.synthetic import Fake, concepts_table, items_table
    from tests.synthetic_study import masks_table

    from paraspec.stats.controls import controls_table
    from paraspec.stats.items import summed
    from paraspec.stats.record import Record
    from paraspec.stats.study import study_of

    fake = Fake("bare", "x", 12_000, 0.8, 0.3)
    items = items_table(fake, concepts_table(9))
    first = study.records[0]
    bare = Record(
        first.card,
        summed(items[items["mask"] != "swap"]),
        first.pss,
        first.efficiency,
        0.2,
        masks_table(items[items["mask"] != "swap"]),
    )
    table = controls_table(study_of([bare], 50, 0)).set_index(["model", "mask"])
    row = table.loc[(first.card.model, "swap")]
    assert np.isnan(row["signed"])
    assert row["reason"] == "no swap mask at the primary ratio"
    assert not row["contains_zero"]
    assert np.isnan(row["active_share"])
    hit = table.loc[(first.card.model, "top"), "active_share"]
    assert hit == round(first.primary * 128) / 128
    checked(table.reset_index(), CONTROLS)

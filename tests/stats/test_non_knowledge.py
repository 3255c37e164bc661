"""Controls that are no knowledge: their own table, and no other statistic."""

import shutil

import numpy as np
import pandas as pd
import pytest
from tests.judged import judged_tables
from tests.synthetic import NOT_KNOWN, Fake
from tests.synthetic_study import write_study

from paraspec.core.definitions import ALL, NON_KNOWLEDGE
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.measured import COLLATERAL, ITEMS, MASKS
from paraspec.core.tables.per_model import SELECTION
from paraspec.stats.run import read_study

FAKES = [
    Fake(f"m{i}", "fg"[i // 2], 12_000, 0.5 + 0.1 * i, 0.5, 0.2, controls=True)
    for i in range(4)
]
NAMES = [fake.model for fake in FAKES]
OWN = ("specificity.non-knowledge", "specificity.top-minus-non-knowledge")
"""Estimates that are about them."""


def tables(root):
    return judged_tables(read_study(root, NAMES, 60, 0))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("study")
    write_study(made, FAKES, n_concepts=12, draws=60, non_knowledge=True)
    return made


@pytest.fixture(scope="module")
def found(root):
    return tables(root)


def test_nothing_but_their_own_changes_where_they_were_never_asked(
    root, found, tmp_path
):
    bare = tmp_path / "bare"
    shutil.copytree(root, bare)
    for name in NAMES:
        for file, table in (
            ("items.parquet", ITEMS),
            ("masks.parquet", MASKS),
            ("selection.csv", SELECTION),
            ("collateral.parquet", COLLATERAL),
        ):
            path = StudyFiles(bare).measure(name, file)
            rows = read_table(path, table)
            kept = ~rows["concept"].astype("str").isin(NOT_KNOWN)
            assert not kept.all()
            write_table(rows[kept].reset_index(drop=True), table, path)
    without = tables(bare)
    assert without.pop("non_knowledge").empty
    without.pop("claims")
    for name, frame in without.items():
        mine = found[name]
        if name == "estimates":
            mine, frame = (f[~f["id"].isin(OWN)] for f in (mine, frame))
        pd.testing.assert_frame_equal(mine, frame)


def test_no_table_names_them_but_their_own(found):
    for name, frame in found.items():
        if name != "non_knowledge":
            texts = frame.select_dtypes(["object", "str", "category"]).astype("str")
            assert not texts.isin([*NOT_KNOWN, NON_KNOWLEDGE]).any(axis=None), name


@pytest.mark.parametrize(("mask", "selector"), [("top", "difference"), ("random",) * 2])
def test_a_row_is_the_effect_on_its_items(found, root, mask, selector):
    rows = found["non_knowledge"].set_index(["model", "concept", "mask"])
    items = read_table(StudyFiles(root).measure("m3", "items.parquet"), ITEMS)
    items = items[items["concept"] == "number-agreement"]
    at = items[np.isclose(items["ratio"], 0.1) & (items["mask"] == mask)]
    at = at[(at["ablation"] == "zero") & (at["selector"] == selector)]
    plain, after = (
        frame.groupby("set", observed=True)["correct"].mean()
        for frame in (items[items["mask"] == "none"], at)
    )
    row = rows.loc[("m3", "number-agreement", mask)]
    change = after["general"] - plain["general"]
    assert change < 0
    assert row["before"] == pytest.approx(plain["concept"])
    assert row["drop"] == pytest.approx(plain["concept"] - after["concept"])
    assert row["general_change"] == pytest.approx(change)
    assert row["signed"] == pytest.approx(row["drop"] + change)
    assert row["signed_low"] <= row["signed"] <= row["signed_high"]
    assert row["n_items"] == 10


def test_concepts_are_compared_with_them_on_items_of_other_categories(found):
    rows = found["non_knowledge"]
    each = rows[(rows["mask"] == "top") & (rows["model"] != ALL)]
    mean = each.groupby("model")["signed"].mean()
    estimates = found["estimates"].set_index("id")
    assert estimates.loc[OWN[0], "estimate"] == pytest.approx(mean.mean())
    assert estimates.loc[OWN[1], "n"] == 4
    # Made up: concepts are hurt by their masks, the controls are not.
    assert estimates.loc[OWN[1], "estimate"] > 0.05

"""What is kept of single answers, against plain pandas."""

import numpy as np
import pandas as pd
import pytest
from tests.synthetic import Fake, concepts_table, items_table

from paraspec.core.definitions import CROSS_MASK, NON_KNOWLEDGE, UNPARSED
from paraspec.stats.answers import answers_of
from paraspec.stats.items import MaskKind

FAKE = Fake("m", "f", 12_000, 0.8, 0.4, controls=True, cross=True)
AT = 0.1


@pytest.fixture(scope="module")
def items():
    return items_table(FAKE, concepts_table(9, non_knowledge=True))


@pytest.fixture(scope="module")
def kept(items):
    return answers_of(items, AT)


def plain(items):
    rows = items[items["mask"] == "none"]
    return rows.set_index(["concept", "item"])["correct"]


def test_top_answers_stand_beside_the_unmasked_ones(items, kept):
    rows = items[(items["mask"] == "top") & (items["selector"] == "difference")]
    rows = rows[np.isclose(rows["ratio"], AT) & (rows["ablation"] == "zero")]
    rows = rows[rows["category"] != NON_KNOWLEDGE]
    assert len(kept.top) == len(rows)
    key = list(zip(kept.top["concept"], kept.top["item"], strict=True))
    assert (plain(items).loc[key].to_numpy() == kept.top["before"]).all()
    after = rows.set_index(["concept", "item"])["correct"].loc[key]
    assert (after.to_numpy() == kept.top["after"]).all()


def test_positions_are_places_as_options_stood(items):
    own = items["set"] == "concept"
    turned = items.assign(
        option_order=pd.Categorical(np.where(own, "2031", "0123")),
        predicted=np.where(items.index % 5 == 0, UNPARSED, 3),
    )
    counts = answers_of(turned, AT).choices[MaskKind("random", "random")]
    rows = turned[own & (items["mask"] == "random") & np.isclose(items["ratio"], AT)]
    rows = rows[(rows["ablation"] == "zero") & (rows["category"] != NON_KNOWLEDGE)]
    unread = int((rows["predicted"] == UNPARSED).sum())
    assert counts == {UNPARSED: unread, 2: len(rows) - unread}


def test_cross_answers_are_all_pairs_with_the_own_mask_on_the_diagonal(items, kept):
    assert kept.cross.groupby(["concept", "donor"]).size().eq(10).all()
    assert len(kept.cross) == 9 * 9 * 10
    own = kept.cross[kept.cross["concept"] == kept.cross["donor"]]
    top = kept.top[kept.top["set"] == "concept"]
    assert own["after"].sum() == top["after"].sum()
    rows = items[items["mask"] == CROSS_MASK]
    assert kept.cross["after"].sum() - own["after"].sum() == rows["correct"].sum()


def test_controls_that_are_no_knowledge_are_kept_apart(items, kept):
    assert not set(kept.top["concept"]) & set(kept.non_knowledge["concept"])
    frame = kept.non_knowledge.set_index(["concept", "set", "mask", "item"])
    rows = items[items["category"] == NON_KNOWLEDGE]
    rows = rows[(rows["mask"] == "random") & (rows["ablation"] == "zero")]
    rows = rows[np.isclose(rows["ratio"], AT)]
    for key, part in rows.groupby(["concept", "set", "mask", "item"], observed=True):
        assert frame.loc[key, "after"] == pytest.approx(part["correct"].mean())


def test_a_model_without_controls_keeps_nothing_of_them():
    bare = Fake("m", "f", 12_000, 0.8, 0.4)
    kept = answers_of(items_table(bare, concepts_table(9)), AT)
    assert kept.cross.empty
    assert kept.non_knowledge.empty
    assert len(kept.top)

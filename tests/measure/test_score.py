"""From masks and items to rows of items.parquet, with a real model."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from paraspec.core.config import Asking
from paraspec.core.table import checked
from paraspec.core.tables.measured import ITEMS
from paraspec.data.sets import set_table
from paraspec.data.study import concept_table, prompt_table
from paraspec.measure.applied import RankingTable
from paraspec.measure.extract import extract, membership
from paraspec.measure.method import Method
from paraspec.measure.plan import Grid, masks_of, swap_donors
from paraspec.measure.prompts import tokenise
from paraspec.measure.ranked import Rankings
from paraspec.measure.score import (
    answer_rows,
    asked_items,
    item_frame,
    n_distinct,
    rows_of,
)
from paraspec.measure.scoring import Masks, answer

GRID = Grid((0.05, 0.06, 0.5), (0.05,), (0.9,), 0.05, 2)


class Case:
    """A tiny model, three concepts, all their masks."""

    def __init__(self, model, made_up, tokenizer):
        self.concepts = made_up(1)[:3] + made_up(1)[3:6]
        self.sets = set_table(self.concepts, [], 6, 0)
        self.table = prompt_table(self.concepts, 0)
        self.prompts = tokenise(self.table, Asking(), tokenizer)
        self.model = model
        everything = list(self.prompts.values())
        found = extract(model, everything, membership(self.sets), 64, lambda n: None)
        self.activations = found
        self.rankings = Rankings("m", found)
        asked = asked_items(self.sets)
        donors = swap_donors({c.concept: c.category for c in self.concepts}, 0)
        names = [c.concept for c in self.concepts][:2]
        self.rows = [
            row
            for c in names
            for row in rows_of(
                masks_of(c, donors[c], GRID), asked[c], self.rankings.counts
            )
        ]

    def answers(self, batch_rows=64, on_batch=lambda n: None):
        return answer_rows(
            self.model,
            self.rows,
            self.prompts,
            self.rankings,
            batch_rows,
            on_batch,
            Method(packed=True),
        )


@pytest.fixture(scope="module", params=["llama", "mixtral"])
def case(request, loaded, made_up, tokenizer):
    return Case(loaded(request.param), made_up, tokenizer)


def test_rows_are_answered_as_each_would_be_alone(case):
    found = case.answers()
    assert len(found) == len(case.rows)
    for i in range(0, len(case.rows), 29):
        row = case.rows[i]
        ranking = [r[0] for r in case.rankings.stacked([row.applied.ranking])]
        keep = []
        for place, k in zip(ranking, row.applied.k, strict=True):
            order = torch.argsort(place)
            kept = torch.ones(len(place), dtype=torch.bool)
            kept[order[:k]] = False
            keep.append((~kept if row.applied.ablation == "keep" else kept)[None])
        prompt = case.prompts[row.asked.item]
        (alone,) = answer(case.model, [prompt], Masks(keep), packed=False)
        assert found[i].logprobs == pytest.approx(alone.logprobs, abs=1e-4)


def test_work_done_is_the_distinct_pairs_and_does_not_depend_on_the_batch_size(case):
    done = []
    found = case.answers(64, done.append)
    assert sum(done) == n_distinct(case.rows) < len(case.rows)
    for one, other in zip(found, case.answers(5), strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_equal_masks_have_one_answer(case):
    frame = frame_of(case)
    top = frame[(frame["mask"] == "top") & (frame["set"] == "concept")]
    pair = [top[top["ratio"] == r].set_index(["concept", "item"]) for r in (0.05, 0.06)]
    if (pair[0]["k"].iloc[0]) == pair[1]["k"].iloc[0]:
        pd.testing.assert_series_equal(pair[0]["margin"], pair[1]["margin"])
    assert n_distinct(case.rows) < len(case.rows)


def frame_of(case):
    answers = case.answers()
    concepts = concept_table(case.concepts, {c.concept: 2 for c in case.concepts})
    frame = item_frame(
        "m", "cloze", case.rows, answers, case.prompts, case.table, concepts
    )
    return checked(frame, ITEMS)


def test_item_rows_are_those_of_the_items_table(case):
    frame = frame_of(case)
    assert len(frame) == len(case.rows)
    assert not frame.isna().any().any()
    correct = frame["gold_logprob"].to_numpy()[frame["correct"]]
    assert (frame.loc[frame["margin"] > 0, "correct"]).all()
    assert not frame.loc[frame["margin"] < 0, "correct"].any()
    assert (correct < 0).all()
    about = case.table.set_index("item")
    for row in frame.iloc[::41].itertuples():
        assert row.item_concept == about.loc[row.item, "item_concept"]
        assert row.item_tier == about.loc[row.item, "tier"]
        concept = next(c for c in case.concepts if c.concept == row.concept)
        assert (row.category, row.tier) == (concept.category, concept.tier)
        assert row.exposure == 2
        assert row.option_order == "0123"
        assert row.set == ("concept" if row.item_concept == row.concept else "general")
    none = frame[frame["mask"] == "none"]
    assert set(none["ratio"]) == {0.0}
    assert set(none["ablation"]) == set(none["selector"]) == set(none["donor"]) == {"-"}
    assert not (frame["ratio"][frame["mask"] != "none"] == 0).any()
    assert set(frame.loc[frame["mask"] == "random", "draw"]) == {0, 1}
    assert frame["parsed"].all()
    assert ((frame["option_mass"] > 0) & (frame["option_mass"] <= 1)).all()
    per_layer = [site.n for site in case.model.sites]
    keep = frame[frame["ablation"] == "keep"]
    assert set(keep["k"]) == {sum(int(0.9 * n + 0.5) for n in per_layer)}


def test_concepts_are_asked_the_same_items_under_every_mask(case):
    frame = frame_of(case)
    own = frame[frame["set"] == "concept"]
    for _, group in own.groupby(["concept", "mask", "ablation", "draw", "ratio"]):
        assert len(group) == 0 or group["item"].nunique() == len(group) == 10


def test_keep_inverts_the_mask(case):
    applied = [r.applied for r in case.rows if r.mask.kind == "random"]
    inverted = [
        replace(a, ablation="zero" if a.ablation == "keep" else "keep") for a in applied
    ]
    lines = list(range(len(applied)))
    one = RankingTable(case.rankings, applied).masks(lines)
    other = RankingTable(case.rankings, inverted).masks(lines)
    for a, b in zip(one.keep, other.keep, strict=True):
        assert torch.equal(a, ~b)

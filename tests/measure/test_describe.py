"""Tables about selections, recomputed with sets of vectors and sums by hand."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch

from paraspec.core.definitions import SELECTORS, vectors_at
from paraspec.core.table import checked
from paraspec.core.tables.measured import VECTORS
from paraspec.core.tables.per_model import OVERLAP, SELECTION
from paraspec.measure.describe import overlap_frame, selection_frame, vectors_frame
from paraspec.measure.extract import Activations, Means, Total
from paraspec.measure.mask_overlap import expected_jaccard
from paraspec.measure.ranked import RankingKey, Rankings
from paraspec.measure.statistics import BY_GRADIENT, READ, Statistics
from paraspec.models.unembedding import promoted_tokens, token_text

SIZES = (30, 20)
CATEGORY = {"a": "x", "b": "x", "c": "x", "d": "y", "e": "y", "f": "z", "added": "x"}
RATIO = 0.2


def means(rng, n_concepts):
    """Made-up means: some concepts' own, some vectors active for all."""
    return Means(
        tuple(torch.rand(n_concepts, 2, n, generator=rng) for n in SIZES),
        tuple(torch.rand(n_concepts, n, generator=rng) for n in SIZES),
    )


def made_rankings(names=tuple(CATEGORY), complete=True):
    rng = torch.Generator().manual_seed(3)
    n = len(CATEGORY)
    own = means(rng, n)
    lines = [list(CATEGORY).index(name) for name in names]
    own = Means(
        tuple(layer[lines] for layer in own.related),
        tuple(layer[lines] for layer in own.unrelated),
    )
    routing = tuple(torch.ones(len(names), 2, 1) for _ in SIZES)
    activations = Activations(tuple(names), own.related, own.unrelated, routing)
    if not complete:
        return Rankings("m", activations)
    further = {
        name: means(rng, len(names)) for name in (*READ, *BY_GRADIENT, "cross-format")
    }
    statistics = Statistics(
        tuple(names),
        further,
        {"signed": Total(tuple(torch.rand(n) for n in SIZES), 1.0)},
        tuple(torch.rand(n) for n in SIZES),
        torch.full((len(names), 2), 5.0),
        torch.full((len(names),), 40.0),
    )
    norms = [torch.rand(n, generator=rng) + 0.5 for n in SIZES]
    return Rankings("m", activations, "cpu", statistics, norms)


def planned(names=tuple(CATEGORY)):
    """The columns of the concepts table that matter here."""
    exposure = [0 if name == "added" else 2 for name in names]
    category = [CATEGORY[name] for name in names]
    return pd.DataFrame({"concept": names, "category": category, "exposure": exposure})


def mask(rankings, concept, half, kind="difference"):
    """A mask as a set of (layer, number)."""
    key = RankingKey(concept, half, kind)
    k = rankings.counts(key, RATIO)
    return {
        (layer, number)
        for layer, places in enumerate(rankings.stacked([key]))
        for number in torch.argsort(places[0])[: k[layer]].tolist()
    }


def jaccard(one, other):
    return len(one & other) / len(one | other)


@pytest.fixture(scope="module")
def rankings():
    return made_rankings()


@pytest.fixture(scope="module")
def selection(rankings):
    frame = selection_frame("m", rankings, planned(), RATIO)
    return checked(frame, SELECTION).set_index(["selector", "concept"])


@pytest.mark.parametrize("kind", SELECTORS)
def test_jaccard_indices_are_those_of_sets(kind, rankings, selection):
    masks = {(c, h): mask(rankings, c, h, kind) for c in CATEGORY for h in "AB"}
    for concept in CATEGORY:
        row = selection.loc[kind, concept]
        pair = jaccard(masks[concept, "A"], masks[concept, "B"])
        assert row["reliability"] == pytest.approx(pair)
        for column, alike in (("same_category", True), ("other_category", False)):
            others = [
                jaccard(masks[concept, half], masks[mate, half])
                for mate in CATEGORY
                for half in "AB"
                if mate not in (concept, "added")
                and (CATEGORY[mate] == CATEGORY[concept]) == alike
            ]
            expected = np.mean(others) if others else np.nan
            assert row[column] == pytest.approx(expected, nan_ok=True)


def test_what_is_undefined_has_a_reason(selection):
    alone = selection.loc["difference", "f"]
    assert np.isnan(alone["same_category"])
    assert alone["reason"] == "no other concept of its category"
    assert (selection.drop("f", level="concept")["reason"] == "").all()
    nothing = selection_frame("m", made_rankings(complete=False), planned(), 0.001)
    assert nothing["reliability"].isna().all() and nothing["chance"].isna().all()
    assert nothing["selectivity"].isna().all()
    assert nothing["reason"].str.contains("selects no value vector").all()


def test_an_added_concept_changes_no_row_of_another(selection):
    names = tuple(name for name in CATEGORY if name != "added")
    alone = made_rankings(names, complete=False)
    frame = selection_frame("m", alone, planned(names), RATIO).set_index("concept")
    both = selection.loc["difference"].loc[list(names)]
    for column in ("same_category", "other_category", "selectivity", "gini"):
        np.testing.assert_allclose(frame[column], both[column])


def test_selectivity_is_read_on_the_half_that_did_not_select(rankings, selection):
    means_of = rankings._activations
    for line, concept in enumerate(CATEGORY):
        halves = []
        for half, other in (("A", 1), ("B", 0)):
            index = []
            for layer, number in mask(rankings, concept, half):
                related = float(means_of.related[layer][line, other, number])
                unrelated = float(means_of.unrelated[layer][line, number])
                index.append((related - unrelated) / (related + unrelated))
            halves.append(np.mean(index))
        found = selection.loc["difference", concept]["selectivity"]
        assert found == pytest.approx(np.mean(halves), abs=1e-5)


@pytest.mark.parametrize("kind", ["difference", "attribution", "t-statistic"])
def test_spread_is_that_of_all_layers_positive_values(kind, rankings, selection):
    for concept in CATEGORY:
        key = RankingKey(concept, "AB", kind)
        values = [rankings.values([key], layer)[0] for layer in range(len(SIZES))]
        a = torch.cat(values).clamp(min=0).double().numpy()
        gaps = np.abs(a[:, None] - a).mean() / (2 * a.mean())
        row = selection.loc[kind, concept]
        assert row["participation"] == pytest.approx(a.sum() ** 2 / len(a) / (a @ a))
        assert row["gini"] == pytest.approx(gaps)


def test_selectors_overlap_as_their_sets_do(rankings):
    frame = checked(overlap_frame("m", rankings, planned(), RATIO), OVERLAP)
    assert list(zip(frame["selector"], frame["other"], strict=True)) == list(
        combinations(SELECTORS, 2)
    )
    for row in frame.itertuples():
        pairs = [
            jaccard(
                mask(rankings, c, half, row.selector),
                mask(rankings, c, half, row.other),
            )
            for c in CATEGORY
            for half in "AB"
            if c != "added"
        ]
        assert row.jaccard == pytest.approx(np.mean(pairs))
        assert row.n_concepts == len(CATEGORY) - 1
        over_all = "global" in (row.selector, row.other)
        k = tuple(vectors_at(RATIO, n) for n in SIZES)
        law = ((sum(SIZES),), (sum(k),)) if over_all else (SIZES, k)
        assert row.chance == pytest.approx(expected_jaccard(*law))


def test_without_further_statistics_only_the_paper_s_selector_is_described():
    few = made_rankings(complete=False)
    frame = selection_frame("m", few, planned(), RATIO)
    assert set(frame["selector"]) == {"difference"} and len(frame) == len(CATEGORY)
    empty = checked(overlap_frame("m", few, planned(), RATIO), OVERLAP)
    assert empty.empty


@pytest.mark.parametrize(
    "n, k", [((5,), (2,)), ((4, 3), (2, 1)), ((3, 3, 2), (1, 2, 1))]
)
def test_expected_jaccard_is_the_mean_over_all_pairs_of_masks(n, k):
    masks = [frozenset()]
    for layer, (size, drawn) in enumerate(zip(n, k, strict=True)):
        chosen = [
            frozenset((layer, i) for i in numbers)
            for numbers in combinations(range(size), drawn)
        ]
        masks = [one | more for one in masks for more in chosen]
    every = [jaccard(one, other) for one in masks for other in masks]
    assert expected_jaccard(n, k) == pytest.approx(np.mean(every))


@pytest.fixture(scope="module", params=["llama", "gpt2", "mixtral"])
def described(request, loaded):
    """A tiny model, made-up rankings of its value vectors, and their table."""
    model = loaded(request.param)
    rng = torch.Generator().manual_seed(1)
    n = [site.n for site in model.sites]
    related = tuple(torch.rand(2, 2, size, generator=rng) for size in n)
    unrelated = tuple(torch.rand(2, size, generator=rng) for size in n)
    routing = tuple(torch.ones(2, 2, site.n_experts) for site in model.sites)
    made = Rankings("m", Activations(("a", "b"), related, unrelated, routing))
    frame = checked(vectors_frame(model, "m", made, 0.5), VECTORS)
    return model, related, unrelated, frame


def test_vectors_are_listed_from_the_top(described):
    model, related, unrelated, frame = described
    for (concept, layer), rows in frame.groupby(["concept", "layer"], observed=True):
        site, line = model.sites[layer], "ab".index(concept)
        own = related[layer][line].mean(0)
        order = torch.argsort(own - unrelated[layer][line], descending=True)
        n = min(32, max(5, vectors_at(0.5, site.n)))
        assert rows["vector"].tolist() == order[:n].tolist()
        assert rows["rank"].tolist() == list(range(n))
        np.testing.assert_allclose(rows["related"], own[order[:n]], atol=1e-6)
        np.testing.assert_allclose(
            rows["unrelated"], unrelated[layer][line][order[:n]], atol=1e-6
        )
    assert len(frame.groupby(["concept", "layer"], observed=True)) == 2 * len(
        model.sites
    )


def column_by_hand(site, number):
    """A value vector, as its layout has it."""
    expert, place = divmod(number, site.d_ff)
    weight = site.weight[expert] if site.routed else site.weight
    return weight[:, place] if site.layout == "columns" else weight[place]


def test_promoted_tokens_are_those_of_the_output_embedding(described):
    model, _, _, frame = described
    head = model.model.get_output_embeddings().weight
    for row in frame[frame["rank"].isin([0, 4])].itertuples():
        vector = column_by_hand(model.sites[row.layer], row.vector)
        top = torch.argsort(head @ vector, descending=True)[:10].tolist()
        assert json.loads(row.promoted) == [token_text(model, t) for t in top]
        assert row.norm == pytest.approx(float(vector.norm()), rel=1e-5)
    assert set(frame.loc[frame["rank"] >= 5, "promoted"]) <= {"[]"}


def test_value_vectors_are_numbered_expert_by_expert(described):
    model = described[0]
    for site in model.sites:
        assert site.rows.shape[0] == site.n
        for number in (0, site.n - 1, site.n // 2):
            assert torch.equal(site.rows[number], column_by_hand(site, number))


def test_tokens_keep_the_blank_before_a_word_and_escape_others(loaded):
    model = loaded("llama")
    ids = model.tokenizer("The ant is\n", add_special_tokens=False)["input_ids"]
    texts = [token_text(model, token) for token in ids]
    assert "".join(texts) == "The ant is\\n"
    assert texts[0][0] == "T" and any(text.startswith(" ") for text in texts)
    half = model.tokenizer("é", add_special_tokens=False)["input_ids"][0]
    assert "\N{REPLACEMENT CHARACTER}" not in token_text(model, half)


def test_no_tokens_are_told_where_the_output_embedding_has_another_input(loaded):
    model = loaded("opt", word_embed_proj_dim=8)
    assert promoted_tokens(model, model.sites[0], [0, 3], 10) == [[], []]

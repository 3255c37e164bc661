"""Loss on neutral text under masks, against transformers' own and a plain loop."""

import math
from dataclasses import replace

import pytest
import torch

from paraspec.core.config import Asking
from paraspec.core.table import checked, read_table
from paraspec.core.tables.measured import COLLATERAL
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure import chunked
from paraspec.measure.applied import Applied, RankingTable
from paraspec.measure.chunked import Scoring
from paraspec.measure.collateral import collateral_frame, sentence_prompts
from paraspec.measure.extract import extract, membership
from paraspec.measure.method import Method
from paraspec.measure.plan import Donors, Grid, masks_of
from paraspec.measure.prompts import tokenise
from paraspec.measure.ranked import Rankings
from paraspec.models.weights import zeroed

TEXTS = (
    "The relation3 of Ant high 1 is a birch.",
    "People say that the relation5 of Cow low 1 is cedar 12.",
    "As for Bee mid 1, its relation1 is ash.",
)
CONTROL = Grid((0.1,), (0.1,), (), 0.1, 2)


@pytest.fixture(scope="module")
def scoring_of(loaded, study):
    def make(kind):
        model = loaded(kind)
        table = read_table(study.data("prompts.parquet"), PROMPTS)
        prompts = tokenise(table, Asking(), model.tokenizer)
        members = membership(read_table(study.data("sets.parquet"), SETS))
        found = extract(model, list(prompts.values()), members, 64, lambda n: None)
        concepts = read_table(study.data("concepts.parquet"), CONCEPTS)
        rankings = Rankings("m", found)
        about = (prompts, table, concepts)
        return Scoring("m", Asking(), model, rankings, *about, 7, Method(packed=True))

    return make


@pytest.fixture(scope="module")
def scoring(scoring_of):
    return scoring_of("llama")


@pytest.fixture(scope="module")
def masks(scoring):
    a, b, c, *_ = scoring.about_concept["concept"]
    donors = {a: Donors((b,)), b: Donors((c,)), c: Donors((a,))}
    return {name: list(masks_of(name, donors[name], CONTROL)) for name in (a, b, c)}


@pytest.fixture(scope="module")
def read(scoring, masks):
    """The table, and how many sentences were read for it."""
    done = []
    frame = collateral_frame(scoring, masks, TEXTS, done.append)
    return checked(frame, COLLATERAL), sum(done)


def own_loss(loaded, text):
    """Summed loss and its tokens, as transformers computes it."""
    ids = torch.tensor([loaded.tokenizer(text)["input_ids"]])
    with torch.inference_mode():
        mean = float(loaded.model(input_ids=ids, labels=ids).loss)
    n = ids.shape[1] - 1
    return n * mean, n


def mean_loss(loaded):
    sums, tokens = zip(*(own_loss(loaded, text) for text in TEXTS), strict=True)
    return sum(sums) / sum(tokens), sum(tokens)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "mixtral"])
def test_loss_without_a_mask_is_that_of_transformers(scoring_of, kind):
    scoring = scoring_of(kind)
    name = scoring.about_concept["concept"].iloc[0]
    nothing = {name: [next(masks_of(name, Donors(), CONTROL))]}
    frame = collateral_frame(scoring, nothing, TEXTS, lambda n: None)
    expected, n_tokens = mean_loss(scoring.loaded)
    assert frame["loss"].tolist() == [pytest.approx(expected, abs=1e-4)]
    assert frame["n_tokens"].tolist() == [n_tokens]
    assert math.exp(expected) > 1.5  # a perplexity that could differ


def test_loss_under_a_mask_is_that_of_the_model_with_those_columns_zeroed(
    scoring, masks, read
):
    frame, _ = read
    chosen = [m for m in next(iter(masks.values())) if m.kind != "none"]
    assert {m.kind for m in chosen} == {"top", "random", "top-insample", "swap"}
    found = []
    for mask in chosen:
        k = scoring.rankings.counts(mask.ranking, mask.ratio)
        one = RankingTable(scoring.rankings, [Applied(mask.ranking, k)]).masks([0])
        with zeroed(scoring.loaded.sites, [layer[0] for layer in one.keep]):
            expected, _ = mean_loss(scoring.loaded)
        row = frame[
            (frame["concept"] == mask.concept)
            & (frame["mask"] == mask.kind)
            & (frame["draw"] == mask.draw)
            & (frame["half"] == mask.halves)
        ]
        assert row["loss"].tolist() == [pytest.approx(expected, abs=1e-4)]
        found.append(round(expected, 5))
    # Selectors and halves differ; both halves of a random draw are one mask.
    assert len(set(found)) >= len(chosen) - 2


def test_every_mask_has_one_row_and_the_empty_one_one_per_concept(masks, read):
    frame, _ = read
    assert len(frame) == sum(map(len, masks.values()))
    key = ["concept", "selector", "mask", "ablation", "draw", "ratio", "half"]
    assert not frame.duplicated(key).any()
    nothing = frame[frame["mask"] == "none"]
    assert nothing["concept"].tolist() == list(masks)
    assert set(nothing["half"]) == {"-"}
    assert nothing["loss"].nunique() == 1
    assert set(frame["half"]) == {"-", "A", "B", "AB"}


def test_masks_that_act_alike_are_read_once(scoring, masks, read, monkeypatch):
    frame, n_read = read
    # Of each concept: two top masks, one in-sample, one for each random draw (both
    # halves share it); swap masks are the donors' top masks; the empty one serves all.
    assert n_read == (3 * (2 + 1 + 2) + 1) * len(TEXTS)
    monkeypatch.setattr(chunked, "CONCEPTS_AT_ONCE", 1)
    done = []
    again = collateral_frame(scoring, masks, TEXTS, done.append)
    assert sum(done) == n_read
    assert again["loss"].tolist() == pytest.approx(frame["loss"].tolist(), abs=1e-5)


def test_what_was_read_before_is_taken_over_and_added_concepts_share_nothing(
    scoring, masks, read
):
    whole, _ = read
    *own, last = masks
    alone = {name: masks[name] for name in own}
    frame = collateral_frame(scoring, alone, TEXTS, lambda n: None)
    done, anew = [], []
    more = collateral_frame(scoring, masks, TEXTS, done.append, {last}, frame)
    fresh = collateral_frame(scoring, masks, TEXTS, anew.append, {last})
    assert more.equals(fresh)
    assert more["loss"].tolist() == pytest.approx(whole["loss"].tolist(), abs=1e-5)
    # Of the last one what no other's mask is: a swap mask is its top mask already.
    assert sum(done) == (1 + 2) * len(TEXTS)
    assert sum(anew) == (3 * (2 + 1 + 2) + 1) * len(TEXTS)
    both = collateral_frame(scoring, masks, TEXTS, done.append, {own[1], last})
    del alone[own[1]]
    one = collateral_frame(
        scoring, alone | {last: masks[last]}, TEXTS, done.append, {last}
    )
    losses = [f.loc[f["concept"] == last, "loss"].tolist() for f in (both, one)]
    assert losses[0] == losses[1]


def test_masks_meant_for_own_items_only_are_read_too(scoring, masks):
    name = next(iter(masks))
    top = next(m for m in masks[name] if m.kind == "top")
    own = {name: [replace(top, general=False)]}
    frame = collateral_frame(scoring, own, TEXTS, lambda n: None)
    assert len(frame) == 1


def test_without_text_or_a_mask_that_selects_there_are_no_rows(scoring, masks):
    name = next(iter(masks))
    nothing = [replace(m, ratio=0.001) for m in masks[name] if m.kind == "top"]
    for given in (({}, TEXTS), (masks, []), ({name: nothing}, TEXTS)):
        frame = collateral_frame(scoring, *given, lambda n: None)
        assert checked(frame, COLLATERAL).empty


def test_the_first_token_is_given_where_there_is_no_bos(scoring):
    tokenizer = scoring.loaded.tokenizer
    (prompt,) = sentence_prompts(TEXTS[:1], tokenizer).values()
    ids = tokenizer(TEXTS[0])["input_ids"]
    assert prompt.prefix == tuple(ids[:1]) == (tokenizer.bos_token_id,)
    assert prompt.options == (tuple(ids[1:]),)

    class Bare:
        """The tokenizer without special tokens."""

        all_special_ids = ()
        eos_token_id = None

        def __call__(self, text, add_special_tokens=True):
            return tokenizer(text, add_special_tokens=False)

    (bare,) = sentence_prompts(TEXTS[:1], Bare()).values()
    assert bare.prefix == tuple(ids[1:2])
    assert bare.options == (tuple(ids[2:]),)

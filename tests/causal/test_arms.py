"""Arms: exact numbers of value vectors, and the right ones."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paraspec.causal.arms import (
    POOLED,
    chosen_vectors,
    pooled_activations,
    pooled_membership,
)
from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.core.tables.causal import ARMS
from paraspec.measure.extract import Activations
from paraspec.measure.prepare import Planned
from paraspec.measure.ranked import Rankings
from paraspec.models.taps import tapped

EQUAL_K = ("PV", "CV-k", "RV", "RV-norm", "LOW", "matched")
N = 60
N_BINS = 10


def rankings(sizes=(N, 40), n_experts=1, seed=0):
    """Made-up activations; those of the concepts' own are not the highest in a bin."""
    rng = torch.Generator().manual_seed(seed)
    related = [torch.rand(1, 2, n, generator=rng) for n in sizes]
    unrelated = [torch.rand(1, n, generator=rng) for n in sizes]
    routing = [torch.ones(1, 2, n_experts) for _ in sizes]
    found = Activations((POOLED,), tuple(related), tuple(unrelated), tuple(routing))
    return Rankings("made-up", found), found


def top(values, k):
    """The k highest, ties by index, in numpy."""
    mask = np.zeros(len(values), bool)
    mask[np.argsort(-values, kind="stable")[:k]] = True
    return mask


@given(
    share=st.floats(0.02, 0.5), seed=st.integers(0, 2**31), n_experts=st.integers(1, 4)
)
@settings(max_examples=40, deadline=None)
def test_arms_train_exactly_their_number_of_each_layer(share, seed, n_experts):
    made, _ = rankings((60, 48), n_experts=n_experts if n_experts != 3 else 2)
    ks = [int(np.floor(round(share * n, 9) + 0.5)) for n in (60, 48)]
    found = {arm: chosen_vectors(arm, made, share, seed) for arm in ARMS}
    for layer, (k, n) in enumerate(zip(ks, (60, 48), strict=True)):
        count = {arm: int(masks[layer].sum()) for arm, masks in found.items()}
        assert count == {
            "original": 0,
            "FV": n,
            "CV": n - k,
            **dict.fromkeys(EQUAL_K, k),
        }
        own = found["PV"][layer]
        assert torch.equal(found["CV"][layer], ~own)
        assert torch.equal(found["RV-norm"][layer], found["RV"][layer])
        assert not (found["CV-k"][layer] & own).any()


def test_own_and_least_active_vectors_are_the_ends_of_their_orders():
    made, acts = rankings()
    for layer, n in enumerate((N, 40)):
        related = acts.related[layer][0].mean(0).numpy()
        contrast = related - acts.unrelated[layer][0].numpy()
        k = n // 4
        own = chosen_vectors("PV", made, 0.25, 0)[layer].numpy()
        assert (own == top(contrast, k)).all()
        low = chosen_vectors("LOW", made, 0.25, 0)[layer].numpy()
        assert (low == top(-related, k)).all()


@pytest.mark.parametrize("n_experts", [1, 2])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_matched_vectors_fill_the_bins_as_the_concepts_own_do(share, n_experts):
    made, acts = rankings(n_experts=n_experts)
    own = chosen_vectors("PV", made, share, 0)
    for seed in range(5):
        matched = chosen_vectors("matched", made, share, seed)
        for layer, n in enumerate((N, 40)):
            place = np.argsort(np.argsort(-acts.related[layer][0].mean(0).numpy()))
            bins = place * N_BINS // n + N_BINS * (np.arange(n) // (n // n_experts))
            for number in set(bins):
                inside = bins == number
                mine = own[layer].numpy() & inside
                theirs = matched[layer].numpy() & inside
                assert mine.sum() == theirs.sum()
                # Its own only where nothing else is left in the bin.
                needed = max(0, 2 * mine.sum() - inside.sum())
                assert (mine & theirs).sum() == needed


def overlap(one, other):
    """Share of one arm's value vectors that another arm trains too."""
    both = sum(int((a & b).sum()) for a, b in zip(one, other, strict=True))
    return both / sum(int(a.sum()) for a in one)


def test_random_arms_are_seeded_differ_by_seed_and_are_drawn_apart():
    made, _ = rankings()
    for arm in ("CV-k", "RV", "matched"):
        one, same, other = (chosen_vectors(arm, made, 0.25, s) for s in (0, 0, 1))
        assert overlap(one, same) == 1
        assert overlap(one, other) < 0.9
    for arm in ("PV", "CV", "LOW"):
        one, other = (chosen_vectors(arm, made, 0.25, s) for s in (0, 1))
        assert overlap(one, other) == 1
    made, _ = rankings((2000,))
    complement, everywhere = (chosen_vectors(a, made, 0.25, 0) for a in ("CV-k", "RV"))
    assert overlap(complement, everywhere) == pytest.approx(0.25, abs=0.06)
    own = chosen_vectors("PV", made, 0.25, 0)
    assert overlap(everywhere, own) == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize(
    ("arm", "share", "said"),
    [
        ("PV", 0.005, "no value vector of layer 0"),
        ("RV", 0.0, "no value vector of layer 0"),
        ("CV", 1.0, "no value vector of layer 0"),
        ("CV-k", 0.6, "36 value vectors of a complement of 24 of layer 0"),
    ],
)
def test_a_share_that_cannot_be_had_is_refused(arm, share, said):
    with pytest.raises(UserError, match=f"arm {arm} train {said}") as error:
        chosen_vectors(arm, rankings()[0], share, 0)
    assert error.value.where == "causal.share"


def test_all_and_no_vectors_need_no_share():
    made, _ = rankings()
    assert all(mask.all() for mask in chosen_vectors("FV", made, 0.0, 0))
    assert not any(mask.any() for mask in chosen_vectors("original", made, 0.0, 0))


def planned(study):
    return Planned.read(study)


def chosen_concepts(study):
    return planned(study).own[:3]


def test_pooled_lines_hold_the_chosen_and_the_others_without_conflicts(study):
    asked, concepts = planned(study), chosen_concepts(study)
    sets = asked.sets
    foreign = sets[(sets["set"] == "concept") & (sets["concept"] == asked.own[4])]
    conflict = foreign.iloc[:1].assign(concept=concepts[0], set="conflict", half="-")
    sets = pd.concat([sets, conflict])
    members = pooled_membership(Planned(asked.concepts, asked.table, sets), concepts)
    own = sets[(sets["set"] == "concept")]
    for half, line in (("A", 0), ("B", 1)):
        chosen = own["concept"].isin(concepts) & (own["half"] == half)
        assert members.items(line) == set(own.loc[chosen, "item"])
    others = set(own.loc[~own["concept"].isin(concepts), "item"])
    assert members.items(3) == others - set(conflict["item"])
    assert len(members.items(3)) == len(others) - 1


@pytest.mark.parametrize("kind", ["llama", "mixtral"])
def test_pooled_activations_are_those_of_every_prompt_run_alone(kind, loaded, study):
    model, asked, concepts = loaded(kind), planned(study), chosen_concepts(study)
    found = pooled_activations(model, kind, asked, concepts, Asking(), 64)
    prompts = {p.item: p for p in asked.prompts(model, Asking())}
    members = pooled_membership(asked, concepts)
    sums = [np.zeros(site.n) for site in model.sites]
    for line, means in ((1, [m[0, 1] for m in found.related]), (3, found.unrelated)):
        total, n_tokens = [0 * s for s in sums], 0
        for item in members.items(line):
            seen = {}
            ids = torch.tensor([prompts[item].prefix])
            with torch.no_grad(), tapped(model.sites, seen.__setitem__):
                model.model(input_ids=ids)
            counted = np.array(prompts[item].counted)
            n_tokens += counted.sum()
            for number, slots in seen.items():
                site = model.sites[number]
                c = slots.coefficients.abs().numpy().astype(float)
                if slots.routes is None:
                    total[number] += c[counted].sum(0)
                    continue
                token, expert, weight = (t.numpy() for t in slots.routes)
                for t, e, w, row in zip(token, expert, weight, c, strict=True):
                    where = slice(e * site.d_ff, (e + 1) * site.d_ff)
                    total[number][where] += counted[t] * w * row
        for mean, expected in zip(means, total, strict=True):
            np.testing.assert_allclose(
                mean.squeeze().numpy(), expected / n_tokens, rtol=2e-4
            )
    made = Rankings(kind, found)
    own = chosen_vectors("PV", made, 0.125, 0)
    for layer, site in enumerate(model.sites):
        contrast = found.related[layer][0].mean(0) - found.unrelated[layer][0]
        k = int(0.125 * site.n + 0.5)
        assert (own[layer].numpy() == top(contrast.numpy(), k)).all()


def test_a_concept_that_the_study_lacks_is_refused_with_the_nearest(study):
    asked = planned(study)
    wrong = asked.own[0] + "x"
    with pytest.raises(UserError, match=wrong) as error:
        pooled_membership(asked, [wrong])
    assert asked.own[0] in error.value.remedy

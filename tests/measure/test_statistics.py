"""Statistics that further selectors rank by, with real models."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from paraspec.core.config import Asking
from paraspec.core.definitions import SELECTORS
from paraspec.core.errors import UserError
from paraspec.data.sets import set_table
from paraspec.data.study import prompt_table
from paraspec.measure.activation_files import load_statistics, save_statistics
from paraspec.measure.applied import Applied, RankingTable
from paraspec.measure.extract import extract, membership
from paraspec.measure.layout import Batch
from paraspec.measure.prompts import tokenise
from paraspec.measure.ranked import OUTLIER, RankingKey, Rankings
from paraspec.measure.rankings import N_BINS, counts, places
from paraspec.measure.scoring import Masks, answer, option_logprobs
from paraspec.measure.statistics import (
    attributions,
    extract_statistics,
    shuffled_labels,
)
from paraspec.measure.wording import other_format
from paraspec.models.taps import gated, tapped

DRAWS = 2


class Case:
    """A tiny model, six concepts, their activations and statistics."""

    def __init__(self, model, made_up, tokenizer):
        self.model = model
        self.concepts = made_up(1)[:6]
        self.table = prompt_table(self.concepts, 0)
        self.sets = set_table(self.concepts, [], 6, 0)
        self.members = membership(self.sets)
        prompts = tokenise(self.table, Asking(), tokenizer)
        reworded = tokenise(self.table, other_format(Asking()), tokenizer)
        self.prompts = [prompts[item] for item in self.members.lines_of]
        self.reworded = [reworded[item] for item in self.members.lines_of]
        self.activations = extract(
            model, self.prompts, self.members, 64, lambda _: None
        )
        self.done = []
        self.statistics = extract_statistics(
            model,
            self.prompts,
            self.reworded,
            self.members,
            [shuffled_labels(self.members, 0, draw) for draw in range(DRAWS)],
            64,
            self.done.append,
            packed=True,
        )
        self.rankings = Rankings(
            "m",
            self.activations,
            "cpu",
            self.statistics,
            [site.norms for site in model.sites],
        )

    def own(self, concept, half):
        rows = self.sets[
            (self.sets["concept"] == concept)
            & (self.sets["set"] == "concept")
            & (self.sets["half"] == half)
        ]
        return [p for p in self.prompts if p.item in set(rows["item"])]


@pytest.fixture(scope="module", params=["llama", "mixtral"])
def case(request, loaded, made_up, tokenizer):
    return Case(loaded(request.param), made_up, tokenizer)


def coefficients(case, prompt):
    """Absolute coefficients of one prompt by layer: position, value vector."""
    seen = []

    def tap(number, slots):
        c = slots.coefficients
        if slots.routes is not None:
            site = case.model.sites[number]
            whole = torch.zeros(len(prompt.prefix), site.n_experts, site.d_ff)
            for line, (t, e, w) in enumerate(zip(*slots.routes, strict=True)):
                whole[t, e] = c[line] * w
            c = whole.flatten(1)
        seen.append(c.clone())

    with torch.inference_mode(), tapped(case.model.sites, tap):
        case.model.model(input_ids=torch.tensor([prompt.prefix]))
    return seen


def test_means_over_questions_by_hand(case):
    concept = case.concepts[1].concept
    means = case.statistics.means
    for h, half in enumerate("AB"):
        found = [coefficients(case, p) for p in case.own(concept, half)]
        counted = [torch.tensor(p.counted) for p in case.own(concept, half)]
        for layer in range(2):
            per = [
                c[layer][n].abs().mean(0) for c, n in zip(found, counted, strict=True)
            ]
            last = [c[layer][-1].abs() for c in found]
            sign = [c[layer][n].mean(0) for c, n in zip(found, counted, strict=True)]
            for name, values in (
                ("question", per),
                ("square", [v**2 for v in per]),
                ("last-token", last),
                ("signed", sign),
            ):
                expected = torch.stack(values).mean(0)
                torch.testing.assert_close(
                    means[name].related[layer][1, h], expected, atol=1e-6, rtol=1e-4
                )
    assert sum(case.done) == 3 * len(case.prompts)


def test_peaks_are_over_every_token_of_every_question(case):
    found = [coefficients(case, prompt) for prompt in case.prompts]
    for layer in range(2):
        expected = torch.stack([c[layer].abs().amax(0) for c in found]).amax(0)
        torch.testing.assert_close(case.statistics.peak[layer], expected)


def log_odds(case, prompt, gates):
    rows = [torch.stack([gate]) for gate in gates]
    batch = Batch.of([prompt], packed=True)
    with torch.no_grad(), gated(case.model.sites, rows):
        (line,) = option_logprobs(case.model, batch)
    others = torch.cat([line[: prompt.gold], line[prompt.gold + 1 :]])
    return float(line[prompt.gold] - others.logsumexp(0))


def ones(case):
    return [torch.ones(site.n) for site in case.model.sites]


@pytest.mark.parametrize("packed", [True, False])
def test_attribution_is_the_slope_of_the_log_odds_along_a_mask(case, packed):
    chosen = case.prompts[:3]
    found = attributions(case.model, chosen, packed=packed)["attribution"]
    step = 1e-2
    for row, prompt in enumerate(chosen):
        for layer in range(2):
            j = int(found[layer][row].abs().argmax())
            ends = []
            for sign in (1, -1):
                gates = ones(case)
                gates[layer][j] += sign * step
                ends.append(log_odds(case, prompt, gates))
            slope = (ends[0] - ends[1]) / (2 * step)
            assert float(found[layer][row, j]) == pytest.approx(
                slope, rel=0.05, abs=1e-3
            )


def test_integrated_gradients_add_up_to_what_masking_everything_costs(
    loaded, made_up, tokenizer
):
    """In a dense model; a router's choices jump along the path."""
    case = Case(loaded("gpt2"), made_up, tokenizer)
    chosen = case.prompts[:4]
    found = attributions(case.model, chosen, packed=True)["integrated-gradients"]
    for row, prompt in enumerate(chosen):
        total = sum(float(layer[row].sum()) for layer in found)
        none = [torch.zeros(site.n) for site in case.model.sites]
        cost = log_odds(case, prompt, ones(case)) - log_odds(case, prompt, none)
        assert total == pytest.approx(cost, rel=0.05, abs=0.02)


def test_the_t_statistic_is_welchs(case):
    concept = case.concepts[2].concept
    related = [coefficients(case, p)[0] for p in case.own(concept, "A")]
    kept = {
        p.item: [coefficients(case, p)[0][torch.tensor(p.counted)].abs().mean(0)]
        for p in case.prompts
    }
    line = 2 * len(case.concepts) + 2
    elsewhere = [
        kept[item][0].numpy()
        for item, lines in case.members.lines_of.items()
        if line not in lines
    ]
    counted = [torch.tensor(p.counted) for p in case.own(concept, "A")]
    mine = [c[n].abs().mean(0).numpy() for c, n in zip(related, counted, strict=True)]
    expected = stats.ttest_ind(mine, elsewhere, equal_var=False).statistic
    key = RankingKey(concept, "A", "t-statistic")
    found = case.rankings.values([key], 0)[0].numpy()
    live = np.std(mine, axis=0) > 1e-5  # else rounding of mean squares decides
    np.testing.assert_allclose(found[live], expected[live], rtol=0.03, atol=0.03)


def test_shuffled_labels_keep_the_sizes_and_lose_the_concept(case):
    members, n = case.members, len(case.concepts)
    moved = shuffled_labels(members, 0, 0)
    assert moved.lines_of != shuffled_labels(members, 0, 1).lines_of
    assert moved == shuffled_labels(members, 0, 0)
    for line in range(2 * n):
        assert len(moved.items(line)) == len(members.items(line)) == 5
    total = 3 * n
    assert moved.items(total) == members.items(total)
    for c in range(n):
        own = members.items(2 * c) | members.items(2 * c + 1)
        drawn = moved.items(2 * c) | moved.items(2 * c + 1)
        kept_out = members.items(2 * n + c) - own
        assert not drawn & kept_out
        assert moved.items(2 * n + c) == kept_out | drawn
    all_own = [members.items(2 * c) == moved.items(2 * c) for c in range(n)]
    assert not any(all_own)


def test_every_selector_ranks_and_masks_the_same_share(case):
    assert case.rankings.kinds == SELECTORS
    keys = [RankingKey(c.concept, "A", s) for c in case.concepts for s in SELECTORS]
    stacked = case.rankings.stacked(keys)
    for i, key in enumerate(keys):
        k = case.rankings.counts(key, 0.25)
        assert sum(k) == sum(counts(0.25, case.rankings.sizes))
        for layer, n in zip(stacked, case.rankings.sizes, strict=True):
            assert sorted(layer[i].tolist()) == list(range(n))


def test_the_global_selector_takes_the_highest_values_of_all_layers(case):
    key = RankingKey(case.concepts[0].concept, "B", "global")
    k = case.rankings.counts(key, 0.25)
    values = [case.rankings.values([key], layer)[0] for layer in range(2)]
    places_in = case.rankings.stacked([key])
    inside = torch.cat(
        [v[p[0] < n] for v, p, n in zip(values, places_in, k, strict=True)]
    )
    outside = torch.cat(
        [v[p[0] >= n] for v, p, n in zip(values, places_in, k, strict=True)]
    )
    assert inside.min() >= outside.max()


def test_matched_masks_are_drawn_within_bins_of_mean_activation(case):
    concept = case.concepts[0].concept
    top, matched = (
        case.rankings.stacked([RankingKey(concept, "A", kind)])
        for kind in ("difference", "matched")
    )
    again = case.rankings.stacked([RankingKey(concept, "A", "matched", 1)])
    for layer, n in enumerate(case.rankings.sizes):
        size = case.rankings.values([RankingKey(concept, "A", "undifferenced")], layer)
        bins = places(size[0]) * N_BINS // n
        for k in (3, n // 4):
            expected = bins[top[layer][0] < k].bincount(minlength=N_BINS)
            found = bins[matched[layer][0] < k].bincount(minlength=N_BINS)
            assert torch.equal(found, expected)
    assert not all(torch.equal(a, b) for a, b in zip(matched, again, strict=True))


def test_outliers_are_never_selected(case):
    peak = [layer.clone() for layer in case.statistics.peak]
    key = RankingKey(case.concepts[0].concept, "A")
    first = int(case.rankings.values([key], 0)[0].argmax())
    norms = [site.norms for site in case.model.sites]
    size = (peak[0] * norms[0]).median()
    peak[0][first] = 1.1 * OUTLIER * size / norms[0][first]
    changed = replace(case.statistics, peak=tuple(peak))
    rankings = Rankings("m", case.activations, "cpu", changed, norms)
    assert rankings.outliers[0].sum() == 1 and not rankings.outliers[1].any()
    kept_out = rankings.stacked([key._replace(kind="no-outliers")])[0][0]
    assert kept_out[first] == rankings.sizes[0] - 1
    assert rankings.stacked([key])[0][0][first] == 0


def test_replaced_coefficients_are_the_means_of_the_named_questions(case):
    concept = case.concepts[0].concept
    key = RankingKey(concept, "A")
    k = case.rankings.counts(key, 0.25)
    kinds = ("zero", "mean", "unrelated-mean")
    table = RankingTable(case.rankings, [Applied(key, k, kind) for kind in kinds])
    masks = table.masks([0, 1, 2])
    signed = case.statistics.means["signed"]
    for layer in range(2):
        zero, mean, unrelated = masks.fill[layer]
        assert not zero.any()
        assert torch.equal(mean, case.statistics.mean[layer])
        assert torch.equal(unrelated, signed.unrelated[layer][0])
    assert table.masks([0]).fill == []
    prompt = case.prompts[0]
    whole = answer(case.model, [prompt] * 3, masks, packed=True)
    for i in range(3):
        (alone,) = answer(case.model, [prompt], table.masks([i]), packed=False)
        assert whole[i].logprobs == pytest.approx(alone.logprobs, abs=1e-4)
    assert whole[0].logprobs != pytest.approx(whole[1].logprobs, abs=1e-6)
    (plain,) = answer(case.model, [prompt], Masks([]), packed=True)
    assert whole[1].logprobs != pytest.approx(plain.logprobs, abs=1e-6)


def test_statistics_come_back_from_their_file(case, tmp_path):
    path = tmp_path / "statistics.safetensors"
    save_statistics(case.statistics, path)
    back = load_statistics(path)
    assert back.means.keys() == case.statistics.means.keys()
    for name, means in case.statistics.means.items():
        for one, other in zip(
            means.related + means.unrelated,
            back.means[name].related + back.means[name].unrelated,
            strict=True,
        ):
            assert torch.equal(one, other)
    for one, other in zip(case.statistics.peak, back.peak, strict=True):
        assert torch.equal(one, other)
    assert torch.equal(back.n_related, case.statistics.n_related)
    save_statistics(None, path)
    assert load_statistics(path) is None


def test_a_selector_without_its_statistics_is_an_error(case):
    bare = Rankings("m", case.activations)
    assert bare.kinds == ("difference", "global")
    with pytest.raises(UserError, match="nothing to rank by 'attribution'"):
        bare.stacked([RankingKey(case.concepts[0].concept, "A", "attribution")])

"""The benchmark's ways give the same answers, and it notices where they do not."""

from dataclasses import replace

import pytest
import torch
from benchmarks.agreement import by_row, difference, require_agreement, require_effect
from benchmarks.flops import Shape, useful_flops
from benchmarks.peers import batched_sequences, own_modules
from benchmarks.ways import ours, plain_loop
from benchmarks.work import answers_per_concept, prepare, some_masks, spread, unmasked

from paraspec.core.errors import UserError
from paraspec.measure.plan import Grid
from paraspec.measure.prompts import Prompt
from paraspec.measure.scoring import Answer

GRID = Grid((0.1, 0.5), (0.1,), (0.9,), 0.1, 2)


@pytest.fixture(scope="module")
def work(loaded, made_up):
    concepts = made_up(1)[:3] + made_up(1)[3:6]
    whole = prepare(loaded("llama"), concepts, GRID, 6, n_concepts=1, batch_rows=64)
    return whole.only(spread(whole.rows, 24))


def hooked(model, sites):
    """A forward pass with plain hooks, in the place of a peer's."""

    def forward(ids, keep, n_kept):
        handles = [
            site.module.register_forward_pre_hook(lambda _m, args, k=k: (args[0] * k,))
            for site, k in zip(sites, keep, strict=True)
        ]
        try:
            return model(input_ids=ids, logits_to_keep=n_kept).logits
        finally:
            for handle in handles:
                handle.remove()

    return forward


def test_the_loop_ours_and_batches_of_whole_sequences_give_the_same_answers(work):
    expected = by_row(work, plain_loop(work, 1))
    batched = batched_sequences(hooked(work.loaded.model, work.loaded.sites))
    for way in (ours, batched):
        found = difference(by_row(work, way(work, 5)), expected, 1e-4)
        assert found.compared == len(work.rows)
        assert found.predictions == 0
        assert found.margin_nats < 1e-4
    bare = ours(work.only([unmasked(row) for row in work.rows]), 64)
    require_effect(expected, bare, 1e-4)
    with pytest.raises(UserError, match="masks move margins by"):
        require_effect(by_row(work, bare), bare, 1e-4)


def test_other_answers_stop_the_benchmark(work):
    answers = plain_loop(work, 1)
    off = [
        replace(a, logprobs=(a.logprobs[0] + 0.01, *a.logprobs[1:])) for a in answers
    ]
    found = difference(by_row(work, off), by_row(work, answers), 1e-4)
    with pytest.raises(UserError, match=r"benchmark, pyvene: .* up to 0\.01 nats"):
        require_agreement("pyvene", found, 1e-4)
    require_agreement("pyvene", found, 0.02)


def test_a_tie_may_be_broken_either_way_but_nothing_else():
    one, other = Answer((-1.0, -1.00001), 0), Answer((-1.00001, -1.0), 0)
    tie = difference({"a": one}, {"a": other}, 1e-4)
    assert (tie.predictions, tie.beyond_ties) == (1, 0)
    assert difference({"a": one}, {"a": other}, 1e-6).beyond_ties == 1


def test_whole_masks_are_chosen(work):
    chosen = some_masks(work.rows, len(work.rows) // 2)
    masks = {row.applied for row in chosen}
    assert len(masks) == len({row.applied for row in work.rows}) // 2
    assert chosen == [row for row in work.rows if row.applied in masks]


def test_a_peers_modules_are_its_own_and_its_weights_are_not(loaded):
    model = loaded("llama").model
    other = own_modules(model)
    pairs = list(zip(model.modules(), other.modules(), strict=True))
    assert all(a is not b for a, b in pairs)
    weights = zip(model.parameters(), other.parameters(), strict=True)
    assert all(a is b for a, b in weights)
    ids = torch.arange(3, 9)[None]
    assert torch.equal(model(ids).logits, other(ids).logits)


def test_operations_are_those_of_the_formula(loaded):
    shape = Shape.of(loaded("llama").model)
    attention, mlp = 4 * 16 * 16, 3 * 16 * 24
    assert shape.block_weights == 2 * (attention + mlp)
    shape = Shape(block_weights=100, d_model=10, vocab=50, attention_width=7)
    prompt = Prompt("i", 0, "", (1, 2, 3), (True,) * 3, ((4,), (5, 6, 7)))
    # 3 + 2 tokens fed; 1 + 2 positions predict; they attend to 1 + 2 + 3 and 4 + 5
    assert useful_flops(shape, [prompt]) == 200 * 5 + 20 * 50 * 3 + 28 * 15


def test_a_concept_takes_its_masks_times_its_items(made_up):
    concepts = made_up(1)[:3] + made_up(1)[3:6]
    one = Grid((0.1,), (0.1,), (), 0.1, 1)
    # none, top, random, top-insample and swap, each on 10 own and 6 general items
    assert answers_per_concept(concepts, one, 6) == 5 * 16

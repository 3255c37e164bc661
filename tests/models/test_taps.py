"""Taps beyond the table: formulas written out, experts' dispatch, rows, nesting."""

import math

import pytest
import torch

from paraspec.models.architectures import ARCHITECTURES
from paraspec.models.sites import value_vector_sites
from paraspec.models.taps import (
    Slots,
    gated,
    masked,
    recorded,
    tapped,
    zero_where_dropped,
)
from paraspec.models.weights import zeroed

ROWS, POS = 3, 5
MIXTURES = [
    kind for kind, places in ARCHITECTURES.items() if any(p.routed for p in places)
]


@pytest.fixture
def ids():
    return torch.randint(
        3, 300, (ROWS, POS), generator=torch.Generator().manual_seed(1)
    )


@pytest.fixture
def counted():
    table = torch.ones(ROWS, POS)
    table[:, 0] = 0  # as BOS
    table[1, 3:] = 0  # as padding
    return table


def silu(x):
    return x / (1 + torch.exp(-x))


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def gelu_new(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def llama(block, x):
    return silu(x @ block.mlp.gate_proj.weight.T) * (x @ block.mlp.up_proj.weight.T)


def neox(block, x):
    up = block.mlp.dense_h_to_4h
    return gelu(x @ up.weight.T + up.bias)


def gpt2(block, x):
    up = block.mlp.c_fc  # Conv1D: [d_model, d_ff]
    return gelu_new(x @ up.weight + up.bias)


def opt(block, x):
    return (x @ block.fc1.weight.T + block.fc1.bias).clamp(min=0)


FORMULAS = {
    "llama": ("model.layers", "mlp", llama),
    "gpt_neox": ("gpt_neox.layers", "mlp", neox),
    "gpt2": ("transformer.h", "mlp", gpt2),
    "opt": ("model.decoder.layers", "fc1", opt),
}


@pytest.mark.parametrize("kind", FORMULAS)
def test_recorded_coefficients_follow_the_formula_down_to_the_activation(
    kind, tiny, ids, counted
):
    path, inlet, formula = FORMULAS[kind]
    model = tiny(kind)
    seen = []
    blocks = model.get_submodule(path)
    for block in blocks:
        module = block.get_submodule(inlet)
        module.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    with recorded(value_vector_sites(model), counted) as sums:
        model(input_ids=ids)
    assert len(seen) == 2
    for block, x, found in zip(blocks, seen, sums.coefficients, strict=True):
        c = formula(block, x.view(ROWS, POS, -1)).abs()
        expected = (c * counted[:, :, None]).sum(1)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_a_token_counts_as_zero_for_experts_it_is_not_routed_to(tiny, ids):
    model = tiny("mixtral")
    one = torch.zeros(ROWS, POS)
    one[2, 4] = 1
    with recorded(value_vector_sites(model), one) as sums:
        model(input_ids=ids)
    for layer, routing in zip(sums.coefficients, sums.routing, strict=True):
        assert not layer[:2].any() and not routing[:2].any()
        assert routing[2].sum() == pytest.approx(1)  # normalised over the chosen two
        assert ((routing[2] > 0) == (layer[2].view(4, 24).sum(1) > 0)).all()
        per_expert = layer[2].view(4, 24).sum(1)
        assert (per_expert > 0).sum() == 2
        assert (per_expert == 0).sum() == 2


def test_a_shared_expert_counts_every_token_once(tiny, ids, counted):
    model = tiny("deepseek_v3")
    with recorded(value_vector_sites(model), counted) as sums:
        model(input_ids=ids)
    dense, routed, shared = sums.routing
    n_counted = counted.sum(1, keepdim=True)
    assert torch.equal(dense, n_counted) and torch.equal(shared, n_counted)
    # Normalised weights, times DeepSeek's scaling factor of 2.5 in this configuration.
    torch.testing.assert_close(routed.sum(1, keepdim=True), 2.5 * n_counted)


@pytest.mark.parametrize("backend", ["eager", "batched_mm", "grouped_mm"])
@pytest.mark.parametrize("kind", MIXTURES)
def test_a_tap_runs_whichever_function_the_experts_would_have_used(
    kind, backend, tiny, ids
):
    model = tiny(kind)
    model.set_experts_implementation(backend)
    sites = value_vector_sites(model)
    fired = []
    with tapped(sites, lambda number, slots: fired.append(number)):
        through_tap = model(input_ids=ids).logits
    assert sorted(fired) == list(range(len(sites)))  # a shared expert may run first
    plain = model(input_ids=ids).logits
    # The functions sum in different orders; grouped_mm is the one that a tap runs.
    noise = 0 if backend == "grouped_mm" else 1e-5
    torch.testing.assert_close(through_tap, plain, atol=noise, rtol=noise)
    assert model.config._experts_implementation == backend


def half_of(sites, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return [torch.rand(site.n, generator=rng) > 0.5 for site in sites]


@pytest.mark.parametrize("kind", ["llama", "opt", *MIXTURES])
def test_each_row_of_a_batch_has_its_own_mask(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    keeps = [half_of(sites, seed) for seed in range(ROWS)]
    with masked(sites, [torch.stack(layer) for layer in zip(*keeps, strict=True)]):
        together = model(input_ids=ids).logits
    for row, keep in enumerate(keeps):
        with zeroed(sites, keep):
            alone = model(input_ids=ids[row : row + 1]).logits[0]
        torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "mixtral", "deepseek_v3"])
def test_a_block_within_a_block_sees_what_the_outer_one_left(kind, tiny, ids, counted):
    model = tiny(kind)
    sites = value_vector_sites(model)
    keep = half_of(sites)
    with (
        masked(sites, [k.expand(ROWS, -1) for k in keep]),
        recorded(sites, counted) as sums,
    ):
        within = model(input_ids=ids).logits
    with zeroed(sites, keep):
        alone = model(input_ids=ids).logits
    assert torch.equal(within, alone)
    for layer, kept in zip(sums.coefficients, keep, strict=True):
        assert not layer[:, ~kept].any()
        assert layer[:, kept].any()


@pytest.mark.parametrize("kind", ["mixtral", "gpt_oss"])
def test_expert_gate_is_put_back_when_the_tap_fails_within_a_pass(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    gate = sites[0].module._apply_gate

    def fail(number: int, slots: Slots) -> None:
        raise ArithmeticError

    with tapped(sites, fail):
        with pytest.raises(ArithmeticError):
            model(input_ids=ids)
        assert sites[0].module._apply_gate == gate


def test_weights_come_back_bit_for_bit_where_zero_times_infinity_is_nan(tiny):
    model = tiny("llama")
    sites = value_vector_sites(model)
    with torch.no_grad():
        sites[0].weight[0, 0] = float("inf")
    saved = sites[0].weight.clone()
    with zeroed(sites, [torch.zeros(site.n, dtype=torch.bool) for site in sites]):
        pass
    assert torch.equal(sites[0].weight, saved)


@pytest.mark.parametrize("kind", ["llama", "mixtral", "gpt_oss"])
def test_generated_text_is_the_same_under_both_masks(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    keep = half_of(sites)

    def generate():
        return model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=8,
            do_sample=False,
            eos_token_id=None,
        )

    with masked(sites, [k.expand(ROWS, -1) for k in keep]):
        by_hook = generate()
    with zeroed(sites, keep):
        by_weight = generate()
    assert torch.equal(by_hook, by_weight)
    assert not torch.equal(by_hook, generate())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("width", [8, 7])
@pytest.mark.parametrize("start", [0, 1])
def test_dropped_coefficients_are_zero_whatever_they_were(dtype, width, start):
    c = torch.randn(3 + start, 5, width).to(dtype)[start:]
    c[0, 0, :2] = torch.tensor([float("nan"), float("inf")])
    kept = torch.rand(3, width) < 0.5
    kept[0, :2] = False
    found = zero_where_dropped(c, kept)
    assert found.dtype == dtype
    for row in range(3):
        assert torch.equal(found[row][:, kept[row]], c[row][:, kept[row]])
        assert not found[row][:, ~kept[row]].any()


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral"])
def test_gates_of_0_and_1_are_a_mask(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    keeps = [half_of(sites, seed) for seed in range(ROWS)]
    keep = [torch.stack(layer) for layer in zip(*keeps, strict=True)]
    with masked(sites, keep):
        expected = model(input_ids=ids).logits
    with gated(sites, [layer.float() for layer in keep]):
        found = model(input_ids=ids).logits
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_masked_coefficients_become_what_is_filled_in(tiny, ids):
    model = tiny("llama")
    sites = value_vector_sites(model)
    keep = [half_of(sites, seed) for seed in range(ROWS)]
    fill = [torch.arange(site.n) / site.n for site in sites]

    def by_hand(number):
        def hook(_module, args):
            c = args[0].clone()
            for row in range(ROWS):
                for j in range(sites[number].n):
                    if not keep[row][number][j]:
                        c[row, :, j] = fill[number][j]
            return (c,)

        return hook

    handles = [
        site.module.register_forward_pre_hook(by_hand(i))
        for i, site in enumerate(sites)
    ]
    expected = model(input_ids=ids).logits
    for handle in handles:
        handle.remove()
    together = [torch.stack(layer) for layer in zip(*keep, strict=True)]
    with masked(sites, together, [layer.expand(ROWS, -1) for layer in fill]):
        found = model(input_ids=ids).logits
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_an_expert_is_filled_only_where_a_token_is_routed_to_it(tiny, ids):
    """The mean of what the routed tokens have there leaves the average output."""
    model = tiny("mixtral")
    sites = value_vector_sites(model)
    none = [torch.zeros(ROWS, s.n, dtype=torch.bool) for s in sites]
    zero = [torch.zeros(ROWS, s.n) for s in sites]
    seen = []

    def read(number, slots):
        seen.append((number, slots))

    with masked(sites, none, zero):
        filled = model(input_ids=ids).logits
    with masked(sites, none):
        torch.testing.assert_close(filled, model(input_ids=ids).logits)
    ones = [torch.ones(ROWS, s.n) for s in sites]
    with masked(sites, none, ones), tapped(sites, read):
        model(input_ids=ids)
    assert all((slots.coefficients == 1).all() for _, slots in seen)
    assert {len(slots.coefficients) for _, slots in seen} == {2 * ids.numel()}

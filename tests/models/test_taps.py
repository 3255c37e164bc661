"""Coefficients read and masked, against multilayer perceptrons computed by hand."""

import math

import pytest
import torch
from torch.nn import functional

from paraspec.models.sites import ARCHITECTURES, value_vector_sites
from paraspec.models.taps import Slots, masked, recorded, tapped
from paraspec.models.weights import zeroed

ROWS, POS = 3, 5
# Where fp32 noise ends and a fault begins: value-vectors.md measured 5e-4 with sdpa;
# two back-ends in one process differ by summation order only.
NOISE = {"float32": 1e-5, "bfloat16": 0.1}


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


def inputs_of(module, run):
    """First argument that a module gets during a forward pass."""
    seen = []
    handle = module.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    run()
    handle.remove()
    return seen[0].reshape(ROWS, POS, -1)


def llama_by_hand(model, run):
    for block in model.model.layers:
        x, mlp = inputs_of(block.mlp, run), block.mlp
        gate = x @ mlp.gate_proj.weight.T
        yield gate / (1 + torch.exp(-gate)) * (x @ mlp.up_proj.weight.T)


def neox_by_hand(model, run):
    for block in model.gpt_neox.layers:
        x, up = inputs_of(block.mlp, run), block.mlp.dense_h_to_4h
        h = x @ up.weight.T + up.bias
        yield h * 0.5 * (1 + torch.erf(h / math.sqrt(2)))


def gpt2_by_hand(model, run):
    for block in model.transformer.h:
        x, up = inputs_of(block.mlp, run), block.mlp.c_fc
        h = x @ up.weight + up.bias  # Conv1D: [d_model, d_ff]
        yield 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))


def opt_by_hand(model, run):
    for block in model.model.decoder.layers:
        x, up = inputs_of(block.fc1, run), block.fc1
        yield (x @ up.weight.T + up.bias).clamp(min=0)


def mixtral_by_hand(model, run):
    """Gated output of each token's two experts times routing weight, else 0."""
    for block in model.model.layers:
        x, router = inputs_of(block.mlp, run), block.mlp.gate
        probabilities = (x @ router.weight.T).softmax(-1)
        experts, d_ff = block.mlp.experts, 24
        line = torch.zeros(ROWS, POS, 4, d_ff)
        for row in range(ROWS):
            for pos in range(POS):
                weight, chosen = probabilities[row, pos].topk(2)
                for w, e in zip(weight / weight.sum(), chosen, strict=True):
                    both = experts.gate_up_proj[e] @ x[row, pos]
                    gate, up = both[:d_ff], both[d_ff:]
                    line[row, pos, e] = w * functional.silu(gate) * up
        yield line.view(ROWS, POS, 4 * d_ff)


BY_HAND = {
    "llama": llama_by_hand,
    "gpt_neox": neox_by_hand,
    "gpt2": gpt2_by_hand,
    "opt": opt_by_hand,
    "mixtral": mixtral_by_hand,
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_recorded_coefficients_are_those_computed_by_hand(kind, tiny, ids, counted):
    model = tiny(kind)
    sites = value_vector_sites(model)
    with recorded(sites, counted) as sums:
        model(input_ids=ids)
    expected = list(BY_HAND[kind](model, lambda: model(input_ids=ids)))
    assert len(sums.coefficients) == len(expected) == 2
    for found, coefficients in zip(sums.coefficients, expected, strict=True):
        by_hand = (coefficients.abs() * counted[:, :, None]).sum(1)
        assert by_hand.max() > 0.01
        torch.testing.assert_close(found, by_hand, atol=1e-5, rtol=1e-4)


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


def test_experts_tap_leaves_the_logits_as_every_backend_computes_them(tiny, ids):
    model = tiny("mixtral")
    with tapped(value_vector_sites(model), lambda layer, slots: None):
        through_tap = model(input_ids=ids).logits
    for backend in ("eager", "batched_mm", "grouped_mm"):
        model.set_experts_implementation(backend)
        plain = model(input_ids=ids).logits
        torch.testing.assert_close(through_tap, plain, atol=1e-5, rtol=1e-5)


def half_of(sites, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return [torch.rand(site.n, generator=rng) > 0.5 for site in sites]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        *((kind, "float32") for kind in ARCHITECTURES),
        *((kind, "bfloat16") for kind in ("llama", "gpt2", "opt", "gpt_neox")),
    ],
)
def test_masking_coefficients_gives_the_logits_of_masked_weights(
    kind, dtype, tiny, ids
):
    model = tiny(kind, dtype)
    sites = value_vector_sites(model)
    keep = half_of(sites)
    plain = model(input_ids=ids).logits
    with zeroed(sites, keep):
        by_weight = model(input_ids=ids).logits
    with masked(sites, [k.expand(ROWS, -1) for k in keep]):
        by_hook = model(input_ids=ids).logits
    tolerance = NOISE[dtype] if kind == "mixtral" else 0
    torch.testing.assert_close(by_hook, by_weight, atol=tolerance, rtol=0)
    assert (by_hook - plain).abs().max() > 1e-3


def test_masking_experts_in_bfloat16_agrees_up_to_rounding(tiny, ids):
    model = tiny("mixtral", "bfloat16")
    sites = value_vector_sites(model)
    keep = half_of(sites)
    with zeroed(sites, keep):
        by_weight = model(input_ids=ids).logits.float()
    with masked(sites, [k.expand(ROWS, -1) for k in keep]):
        by_hook = model(input_ids=ids).logits.float()
    torch.testing.assert_close(by_hook, by_weight, atol=NOISE["bfloat16"], rtol=0)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_empty_mask_changes_no_bit_and_a_full_one_changes_every_row(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    plain = model(input_ids=ids).logits
    # A mixture of experts runs through the grouped function under a tap.
    tolerance = NOISE["float32"] if kind == "mixtral" else 0
    for value, changes in ((True, False), (False, True)):
        keep = [torch.full((ROWS, site.n), value) for site in sites]
        with masked(sites, keep):
            logits = model(input_ids=ids).logits
        moved = (logits - plain).abs().amax((1, 2))
        assert bool((moved > max(tolerance, 1e-4)).all()) == changes
        if not changes:
            assert bool((moved <= tolerance).all())


@pytest.mark.parametrize("kind", ["llama", "opt", "mixtral"])
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


def no_hooks(model):
    return not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


@pytest.mark.parametrize("kind", ["llama", "gpt2", "opt", "mixtral"])
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_put_back_when_the_block_ends(kind, fails, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    before = {name: p.clone() for name, p in model.named_parameters()}
    plain = model(input_ids=ids).logits
    own = [set(vars(site.module)) for site in sites]
    keep = half_of(sites)

    class Interrupt(Exception):
        pass

    def fail(layer: int, slots: Slots) -> None:
        raise Interrupt

    for block in (
        lambda: zeroed(sites, keep),
        lambda: masked(sites, [k.expand(ROWS, -1) for k in keep]),
        lambda: recorded(sites, torch.ones(ROWS, POS)),
        lambda: tapped(sites, fail),
    ):
        try:
            with block():
                model(input_ids=ids)
                if fails:
                    raise Interrupt
        except Interrupt:
            pass
        assert no_hooks(model)
        assert [set(vars(site.module)) for site in sites] == own
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, before[name]), name
    assert torch.equal(model(input_ids=ids).logits, plain)


def test_expert_gate_is_put_back_when_the_tap_fails_within_a_pass(tiny, ids):
    model = tiny("mixtral")
    sites = value_vector_sites(model)

    def fail(layer: int, slots: Slots) -> None:
        raise ArithmeticError

    with tapped(sites, fail):
        with pytest.raises(ArithmeticError):
            model(input_ids=ids)
        for site in sites:
            assert "_apply_gate" not in vars(site.module)
            assert "forward" in vars(site.module)
    for site in sites:
        assert "forward" not in vars(site.module)


def test_weights_come_back_bit_for_bit_where_zero_times_infinity_is_nan(tiny):
    model = tiny("llama")
    sites = value_vector_sites(model)
    with torch.no_grad():
        sites[0].weight[0, 0] = float("inf")
    saved = sites[0].weight.clone()
    with zeroed(sites, [torch.zeros(site.n, dtype=torch.bool) for site in sites]):
        pass
    assert torch.equal(sites[0].weight, saved)

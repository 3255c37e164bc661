"""Every row of the table, executed on a tiny random model of its class.

Architectures outside the table, found by structure, pass the same tests.
"""

from contextlib import suppress

import pytest
import torch
from tests.models.by_hand import of_model
from transformers import AutoConfig, AutoModelForCausalLM

from paraspec.core.errors import UserError
from paraspec.models.architectures import ARCHITECTURES
from paraspec.models.sites import value_vector_sites
from paraspec.models.structure import by_structure
from paraspec.models.taps import masked, recorded, tapped
from paraspec.models.weights import zeroed

ROWS, POS = 3, 5
UNLISTED = ("persimmon", "xglm", "ernie4_5", "glm4_moe")
EVERY = [*ARCHITECTURES, *UNLISTED]

WIDTHS = {
    "bloom": [(0, 1, 64), (1, 1, 64)],  # always four times d_model
    "mpt": [(0, 1, 64), (1, 1, 64)],
    "mixtral": [(0, 4, 24), (1, 4, 24)],
    "olmoe": [(0, 4, 24), (1, 4, 24)],
    "gpt_oss": [(0, 4, 24), (1, 4, 24)],
    "qwen3_moe": [(0, 1, 24), (1, 4, 24)],
    "qwen2_moe": [(0, 4, 24), (0, 1, 32), (1, 4, 24), (1, 1, 32)],
    "deepseek_v3": [(0, 1, 24), (1, 4, 24), (1, 1, 48)],
    "glm4_moe": [(0, 1, 24), (1, 4, 24), (1, 1, 24)],
}
"""Layer, experts and d_ff of every site; else one site of 24 in each of two layers."""


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


def logits_of(model, ids):
    with torch.no_grad():
        return model(input_ids=ids).logits


def half_of(sites):
    rng = torch.Generator().manual_seed(0)
    return [torch.rand(site.n, generator=rng) > 0.5 for site in sites]


def blocks_of(sites):
    """Names of the blocks, read off the sites' names."""
    names = []
    for site in sites:
        *before, _after = site.name.split(f".{site.layer}.", 1)
        names.append(f"{before[0]}.{site.layer}")
    return list(dict.fromkeys(names))


@pytest.mark.parametrize("kind", EVERY)
def test_every_layer_has_its_sites_in_order_as_wide_as_the_weight(kind, tiny):
    sites = value_vector_sites(tiny(kind))
    found = [(site.layer, site.n_experts, site.d_ff) for site in sites]
    assert found == WIDTHS.get(kind, [(0, 1, 24), (1, 1, 24)])
    for site in sites:
        lies = (16, site.d_ff) if site.layout == "columns" else (site.d_ff, 16)
        assert site.weight.shape == ((site.n_experts, *lies) if site.routed else lies)
        assert site.n == site.n_experts * site.d_ff


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_structure_alone_finds_what_the_table_says(kind, tiny):
    model = tiny(kind)
    named = [(site.layer, site.name) for site in value_vector_sites(model)]
    assert [(found.layer, found.name) for found in by_structure(model)] == named


@pytest.mark.parametrize("kind", EVERY)
def test_recorded_coefficients_are_those_computed_by_hand(kind, tiny, ids, counted):
    model = tiny(kind)
    sites = value_vector_sites(model)
    with recorded(sites, counted) as sums:
        logits_of(model, ids)
    expected = of_model(kind, model, blocks_of(sites), lambda: logits_of(model, ids))
    assert len(expected) == len(sites)
    for found, by_hand in zip(sums.coefficients, expected, strict=True):
        per_row = by_hand.view(ROWS, POS, -1).abs() * counted[:, :, None]
        assert per_row.max() > 0.01
        torch.testing.assert_close(found, per_row.sum(1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", EVERY)
def test_masking_coefficients_gives_bit_for_bit_the_logits_of_masked_weights(
    kind, dtype, tiny, ids
):
    model = tiny(kind, dtype)
    sites = value_vector_sites(model)
    keep = half_of(sites)
    plain = logits_of(model, ids)
    with zeroed(sites, keep):
        by_weight = logits_of(model, ids)
    with masked(sites, [k.expand(ROWS, -1) for k in keep]):
        by_hook = logits_of(model, ids)
    assert torch.equal(by_hook, by_weight)
    assert (by_hook - plain).abs().max() > 1e-3


@pytest.mark.parametrize("kind", EVERY)
def test_an_empty_mask_changes_no_bit_and_a_full_one_changes_every_row(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    plain = logits_of(model, ids)
    with masked(sites, [torch.ones(ROWS, s.n, dtype=torch.bool) for s in sites]):
        assert torch.equal(logits_of(model, ids), plain)
    with zeroed(sites, [torch.ones(s.n, dtype=torch.bool) for s in sites]):
        assert torch.equal(logits_of(model, ids), plain)
    with masked(sites, [torch.zeros(ROWS, s.n, dtype=torch.bool) for s in sites]):
        moved = (logits_of(model, ids) - plain).abs().amax((1, 2))
    assert bool((moved > 1e-3).all())


@pytest.mark.parametrize("kind", EVERY)
def test_each_site_alone_changes_the_logits(kind, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    plain = logits_of(model, ids)
    for site in sites:
        with zeroed([site], [torch.zeros(site.n, dtype=torch.bool)]):
            assert (logits_of(model, ids) - plain).abs().max() > 1e-4, site.name


class Interrupt(Exception):
    """Something that happens while a block is open."""


def state_of(model):
    """All that a tap or a mask could leave behind."""
    return [
        (name, set(vars(m)), len(m._forward_pre_hooks), len(m._forward_hooks))
        for name, m in model.named_modules()
    ]


@pytest.mark.parametrize("fails", ["not", "in the block", "in a tap"])
@pytest.mark.parametrize("kind", EVERY)
def test_everything_is_put_back_when_the_block_ends(kind, fails, tiny, ids):
    model = tiny(kind)
    sites = value_vector_sites(model)
    weights = {name: p.clone() for name, p in model.named_parameters()}
    before, plain = state_of(model), logits_of(model, ids)
    implementation = model.config._experts_implementation
    keep = half_of(sites)

    def tap(number, slots):
        if fails == "in a tap":
            raise Interrupt
        return torch.zeros_like(slots.coefficients)

    for block in (
        lambda: zeroed(sites, keep),
        lambda: masked(sites, [k.expand(ROWS, -1) for k in keep]),
        lambda: recorded(sites, torch.ones(ROWS, POS)),
        lambda: tapped(sites, tap),
    ):
        with suppress(Interrupt), block():
            logits_of(model, ids)
            if fails == "in the block":
                raise Interrupt
        assert state_of(model) == before
        assert model.config._experts_implementation == implementation
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, weights[name]), name
    assert torch.equal(logits_of(model, ids), plain)


# Outside the table.


def test_unlisted_architectures_are_really_unlisted():
    assert not set(UNLISTED) & set(ARCHITECTURES)


def test_attention_output_wider_than_the_residual_stream_is_no_site(tiny):
    model = tiny("ernie4_5")
    assert model.model.layers[0].self_attn.o_proj.in_features == 64  # 16 = d_model
    names = [site.name for site in value_vector_sites(model)]
    assert names == [f"model.layers.{i}.mlp.down_proj" for i in range(2)]


def test_a_recurrent_mixer_shaped_like_a_gated_mlp_is_no_site(tiny):
    model = tiny("recurrent_gemma")
    mixer = model.model.layers[0].temporal_block
    assert (mixer.linear_y.out_features, mixer.linear_x.out_features) == (24, 24)
    assert (mixer.linear_out.in_features, mixer.linear_out.out_features) == (24, 16)
    names = [site.name for site in value_vector_sites(model)]
    assert names == [f"model.layers.{i}.mlp_block.down_proj" for i in range(2)]


@pytest.mark.parametrize(
    ("kind", "candidate"),
    [
        ("mamba", "backbone.layers.*.mixer.out_proj"),
        ("rwkv", "rwkv.blocks.*.feed_forward.value"),
        ("llama4_text", "model.layers.*.feed_forward.shared_expert.down_proj"),
    ],
)
def test_a_structure_that_leaves_a_doubt_lists_its_candidates(kind, candidate, tiny):
    with pytest.raises(UserError) as error:
        value_vector_sites(tiny(kind))
    assert kind in error.value.where
    assert candidate in error.value.remedy
    assert "architectures.py" in error.value.remedy


def test_a_block_with_two_mlps_leaves_a_doubt(tiny):
    model = tiny("persimmon")
    model.model.layers[1].second = tiny("persimmon").model.layers[0].mlp
    with pytest.raises(UserError, match=r"layers\.1 has 2 MLPs"):
        value_vector_sites(model)


# Models that wrap the language model, or bypass its modules.


def test_a_vision_tower_holds_no_sites(ids):
    text = {"vocab_size": 320, "hidden_size": 16, "intermediate_size": 24}
    text |= {"num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 8}
    vision = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    vision |= {"num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    sizes = {"text_config": text | {"num_key_value_heads": 2}, "vision_config": vision}
    config = AutoConfig.for_model("gemma3", **sizes, mm_tokens_per_image=4)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    assert any("vision_tower" in name for name, _ in model.named_modules())
    sites = value_vector_sites(model)
    names = [f"model.language_model.layers.{i}.mlp.down_proj" for i in range(2)]
    assert [site.name for site in sites] == names
    assert [found.name for found in by_structure(model)] == names
    plain = logits_of(model, ids)
    with masked(sites, [torch.zeros(ROWS, s.n, dtype=torch.bool) for s in sites]):
        assert (logits_of(model, ids) - plain).abs().max() > 1e-4


def test_bloom_that_slices_its_weight_is_refused(tiny):
    value_vector_sites(tiny("bloom", pretraining_tp=2, slow_but_exact=False))
    with pytest.raises(UserError, match="slow_but_exact"):
        value_vector_sites(tiny("bloom", pretraining_tp=2, slow_but_exact=True))


def test_kernels_in_place_of_mlps_are_refused(tiny):
    model = tiny("llama")
    model._use_kernels = True  # as from_pretrained(use_kernels=True) leaves it
    with pytest.raises(UserError, match="use_kernels=False"):
        value_vector_sites(model)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda p: torch.nn.Parameter(p.to("meta")), "offloaded"),
        (
            lambda p: torch.nn.Parameter(p.to(torch.int8), requires_grad=False),
            "quantised",
        ),
    ],
)
def test_weights_that_cannot_be_written_are_refused(change, fault, tiny):
    model = tiny("llama")
    sites = value_vector_sites(model)
    sites[1].module.weight = change(sites[1].module.weight)
    before = sites[0].weight.clone()
    with (
        pytest.raises(UserError, match=fault) as error,
        zeroed(sites, half_of(sites)),
    ):
        pass
    assert "layers.1.mlp.down_proj" in error.value.where
    assert "hook" in error.value.remedy
    assert torch.equal(sites[0].weight, before)

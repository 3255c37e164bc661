"""Coefficients of every architecture, computed from the MLP's input without any tap.

One function per form of MLP; each yields, for one block, the coefficients of its sites
in their order, ``[token, neuron]``, routed ones times their routing weight.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch.nn import functional

Form = Callable[..., Iterator[torch.Tensor]]


@dataclass(frozen=True)
class ByHand:
    """How to compute a block's coefficients."""

    inlet: str
    """Module of the block whose input is the MLP's input."""
    form: Form
    """Called with the block, that input and the configuration."""


def of_model(kind, model, blocks, run):
    """Coefficients of every site, in order.

    Parameters
    ----------
    kind
        Model type.
    model
        A model of it.
    blocks
        Names of its blocks.
    run
        Runs the model once.
    """
    rule = BY_HAND[kind]
    seen, handles = {}, []
    for name in blocks:
        inlet = model.get_submodule(f"{name}.{rule.inlet}")
        handles.append(
            inlet.register_forward_pre_hook(
                lambda module, args, name=name: seen.__setitem__(name, args[0])
            )
        )
    run()
    for handle in handles:
        handle.remove()
    return [
        coefficients
        for name in blocks
        for coefficients in rule.form(
            model.get_submodule(name),
            seen[name].reshape(-1, seen[name].shape[-1]),
            model.config,
        )
    ]


def through(linear, x):
    return functional.linear(x, linear.weight, linear.bias)


def gated(block, x, config, mlp="mlp"):
    part = block.get_submodule(mlp)
    yield part.act_fn(through(part.gate_proj, x)) * through(part.up_proj, x)


def plain(block, x, config, up, act):
    activation = block.get_submodule(act)
    yield activation(through(block.get_submodule(up), x))


def conv1d(block, x, config):
    up = block.mlp.c_fc  # weight [d_model, d_ff]
    yield block.mlp.act(x @ up.weight + up.bias)


def fused(block, x, config):
    gate, up = (x @ block.mlp.gate_up_proj.weight.T).chunk(2, dim=-1)
    yield block.mlp.activation_fn(gate) * up


def softmax_routing(x, router, k, normalise):
    """Routing weight of every expert, ``[token, expert]``; 0 where not chosen."""
    probabilities = (x @ router.weight.T).softmax(-1)
    top, chosen = probabilities.topk(k)
    if normalise:
        top = top / top.sum(-1, keepdim=True)
    return torch.zeros_like(probabilities).scatter(1, chosen, top)


def deepseek_routing(x, router, config):
    scores = (x @ router.weight.T).sigmoid()
    biased = scores + router.e_score_correction_bias
    out = torch.zeros_like(scores)
    for token in range(len(x)):
        groups = biased[token].view(config.n_group, -1)
        best = groups.topk(2).values.sum(-1).topk(config.topk_group).indices
        allowed = torch.full_like(groups, -torch.inf)
        allowed[best] = groups[best]
        chosen = allowed.flatten().topk(config.num_experts_per_tok).indices
        weights = scores[token, chosen]
        out[token, chosen] = weights / weights.sum() * config.routed_scaling_factor
    return out


def expert_lines(experts, x, routing):
    lines = []
    for e in range(len(experts.down_proj)):
        gate, up = (x @ experts.gate_up_proj[e].T).chunk(2, dim=-1)
        lines.append(routing[:, e, None] * experts.act_fn(gate) * up)
    return torch.cat(lines, dim=1)


def mixture(block, x, config, normalise=None, shared=None):
    if not hasattr(block.mlp, "experts"):  # a dense layer among mixtures
        yield from gated(block, x, config)
        return
    if normalise is None:
        normalise = config.norm_topk_prob
    k = config.num_experts_per_tok
    routing = softmax_routing(x, block.mlp.gate, k, normalise)
    yield expert_lines(block.mlp.experts, x, routing)
    if shared:
        yield from gated(block, x, config, shared)


def deepseek(block, x, config):
    if not hasattr(block.mlp, "experts"):
        yield from gated(block, x, config)
        return
    routing = deepseek_routing(x, block.mlp.gate, config)
    yield expert_lines(block.mlp.experts, x, routing)
    yield from gated(block, x, config, "mlp.shared_experts")


def gpt_oss(block, x, config):
    experts, router = block.mlp.experts, block.mlp.router
    logits = x @ router.weight.T + router.bias
    top, chosen = logits.topk(config.num_experts_per_tok)
    routing = torch.zeros_like(logits).scatter(1, chosen, top.softmax(-1))
    lines = []
    for e in range(len(experts.down_proj)):
        both = x @ experts.gate_up_proj[e] + experts.gate_up_proj_bias[e]
        gate, up = both[:, 0::2], both[:, 1::2]  # interleaved
        gate = gate.clamp(max=config.swiglu_limit)
        up = up.clamp(-config.swiglu_limit, config.swiglu_limit)
        swish = gate * torch.sigmoid(1.702 * gate)
        lines.append(routing[:, e, None] * swish * (up + 1))
    yield torch.cat(lines, dim=1)


def up_and(up, act):
    return ByHand("mlp", partial(plain, up=f"mlp.{up}", act=f"mlp.{act}"))


GATED = ByHand("mlp", gated)
ON_LAYER = ByHand("fc1", partial(plain, up="fc1", act="activation_fn"))
MIXTURE = ByHand("mlp", mixture)
SHARED = ByHand("mlp", partial(mixture, shared="mlp.shared_expert"))

BY_HAND = {
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2"), GATED),
    **dict.fromkeys(("gemma3_text", "olmo", "olmo2", "olmo3", "stablelm"), GATED),
    **dict.fromkeys(("cohere", "cohere2", "granite", "smollm3"), GATED),
    **dict.fromkeys(("phi3", "glm4"), ByHand("mlp", fused)),
    "phi": up_and("fc1", "activation_fn"),
    "gpt2": ByHand("mlp", conv1d),
    **dict.fromkeys(("gpt_neo", "gpt_bigcode", "starcoder2"), up_and("c_fc", "act")),
    **dict.fromkeys(("gpt_neox", "falcon"), up_and("dense_h_to_4h", "act")),
    "bloom": up_and("dense_h_to_4h", "gelu_impl"),
    **dict.fromkeys(("gptj", "codegen"), up_and("fc_in", "act")),
    "opt": ON_LAYER,
    "mpt": ByHand("ffn", partial(plain, up="ffn.up_proj", act="ffn.act")),
    "mixtral": ByHand("mlp", partial(mixture, normalise=True)),
    **dict.fromkeys(("olmoe", "qwen3_moe"), MIXTURE),
    "qwen2_moe": SHARED,
    "deepseek_v3": ByHand("mlp", deepseek),
    "gpt_oss": ByHand("mlp", gpt_oss),
    # Not in the table of architectures.
    "persimmon": up_and("dense_h_to_4h", "act"),
    "xglm": ON_LAYER,
    "ernie4_5": GATED,
    "glm4_moe": ByHand("mlp", deepseek),
}

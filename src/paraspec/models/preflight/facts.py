"""Describing a loaded model, and estimating the memory of a batch.

The estimate: the weights as they lie; keys and values as large per token as those of
the probe's prompt; six residual streams and, of the widest MLP that a token meets,
gate, up, their product and its masked copy; eager attention's scores, twice; the last
position's logits once in the model's numbers and twice in float32.
"""

from pathlib import Path

import torch
from jaxtyping import Int

from paraspec.core.machine import processor_name
from paraspec.models.architectures import ARCHITECTURES
from paraspec.models.load import LoadedModel, count_parameters
from paraspec.models.preflight.report import (
    Finding,
    Memory,
    Preflight,
    SiteFacts,
    TextFacts,
)
from paraspec.models.sites import Site

ROWS, POSITIONS = 64, 128
"""The batch that memory is estimated for."""
STREAMS = 6
"""Copies of the residual stream that live at once: input, norm, attention's in and out,
two sums."""
MLP_COPIES = 4
CACHE_PARTS = ("keys", "values")
FLOAT32_BYTES = 4


def describe(
    folder: Path,
    loaded: LoadedModel,
    text: TextFacts,
    cache_bytes_per_token: float,
    findings: tuple[Finding, ...],
) -> Preflight:
    """Put together what is known about a model."""
    model = loaded.model
    config = model.config.get_text_config()
    parameters = count_parameters(model)
    routed = any(site.routed for site in loaded.sites)
    return Preflight(
        folder=str(folder),
        architecture=config.model_type,
        model_class=type(model).__name__,
        found_by="table" if config.model_type in ARCHITECTURES else "structure",
        n_layers=len({site.layer for site in loaded.sites}),
        d_model=config.hidden_size,
        sites=tuple(_site(site) for site in loaded.sites),
        parameters_total=parameters.total,
        parameters_active=parameters.active,
        dtype=str(model.dtype).removeprefix("torch."),
        device=str(model.device),
        hardware=_hardware(model.device),
        attention=str(config._attn_implementation),
        experts=str(config._experts_implementation) if routed else None,
        context_length=getattr(config, "max_position_embeddings", None),
        text=text,
        memory=estimate(loaded, cache_bytes_per_token),
        findings=findings,
    )


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor_name()


def _site(site: Site) -> SiteFacts:
    return SiteFacts(
        layer=site.layer,
        name=site.name,
        layout=site.layout,
        n_experts=site.n_experts,
        d_ff=site.d_ff,
        routed=site.routed,
    )


def estimate(loaded: LoadedModel, cache_bytes_per_token: float) -> Memory:
    """Estimate the bytes that one batch needs."""
    model = loaded.model
    config = model.config.get_text_config()
    tokens = ROWS * POSITIONS
    number = model.dtype.itemsize
    per_token = STREAMS * config.hidden_size + MLP_COPIES * _widest(loaded)
    scores = 0
    if config._attn_implementation == "eager":
        scores = 2 * config.num_attention_heads * POSITIONS
    return Memory(
        rows=ROWS,
        positions=POSITIONS,
        weights=sum(p.numel() * p.element_size() for p in model.parameters()),
        cache=round(tokens * cache_bytes_per_token),
        activations=tokens * number * (per_token + scores),
        logits=ROWS * config.vocab_size * (number + 2 * FLOAT32_BYTES),
    )


def _widest(loaded: LoadedModel) -> int:
    """Value vectors that one token meets in the widest layer."""
    config = loaded.model.config.get_text_config()
    per_layer: dict[int, int] = {}
    for site in loaded.sites:
        n = site.d_ff * (config.num_experts_per_tok if site.routed else 1)
        per_layer[site.layer] = per_layer.get(site.layer, 0) + n
    return max(per_layer.values())


def cache_bytes_per_token(
    loaded: LoadedModel, ids: Int[torch.Tensor, "1 pos"]
) -> float:
    """Measure keys and values of a prompt, in bytes per token."""
    with torch.inference_mode():
        out = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1)
    layers = getattr(out.past_key_values, "layers", ())
    parts = [getattr(layer, name, None) for layer in layers for name in CACHE_PARTS]
    total = sum(part.nbytes for part in parts if part is not None)
    return float(total / ids.shape[1])

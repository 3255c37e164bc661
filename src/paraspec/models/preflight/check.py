"""The whole preflight of one model folder."""

from pathlib import Path

import torch

from paraspec.models.encoding import Encoding
from paraspec.models.load import LoadedModel, load_model
from paraspec.models.preflight import facts, text
from paraspec.models.preflight.probes import probe
from paraspec.models.preflight.report import Finding, Preflight

PROBE_TOKENS = 16
"""Tokens of the prompt that probes run: within any model's context."""


def preflight(
    folder: Path,
    dtype: str = "float32",
    *,
    needs_letters: bool = False,
    remote_code: bool = False,
) -> Preflight:
    """Load a model and try all that measuring it relies on.

    Parameters
    ----------
    folder
        Model folder.
    dtype
        Number format while measuring.
    needs_letters
        Whether the scorer answers by option letters.
    remote_code
        Whether Python files in the folder may be run.

    Raises
    ------
    UserError
        If the folder cannot be loaded or its value vectors cannot be told.
    """
    loaded = load_model(folder, dtype, remote_code=remote_code)
    return check(folder, loaded, needs_letters=needs_letters)


def check(folder: Path, loaded: LoadedModel, *, needs_letters: bool) -> Preflight:
    """Try a model that is loaded already."""
    described = text.describe(loaded.tokenizer)
    n_embeddings = loaded.model.get_input_embeddings().weight.shape[0]
    findings = [
        _unused(loaded),
        *text.try_text(
            described, loaded.tokenizer, n_embeddings, needs_letters=needs_letters
        ),
    ]
    prompt = Encoding(loaded.tokenizer).ids(text.SAMPLES[0])[:PROBE_TOKENS]
    per_token = 0.0
    if max(prompt) < n_embeddings:
        ids = torch.tensor([prompt], device=loaded.model.device)
        findings += probe(loaded, ids)
        per_token = facts.cache_bytes_per_token(loaded, ids)
    return facts.describe(folder, loaded, described, per_token, tuple(findings))


def _unused(loaded: LoadedModel) -> Finding:
    name = "every tensor of the folder is used"
    if not loaded.unused:
        return Finding(name, "pass", "none is left over")
    first = ", ".join(loaded.unused[:3])
    return Finding(name, "warning", f"{len(loaded.unused)} are not: {first}")

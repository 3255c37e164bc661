"""``activations.safetensors``: ``related.<i>``, ``unrelated.<i>``, ``routing.<i>``.

One tensor of each kind per layer ``i``, as :class:`Activations` describes them.
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from paraspec.core.files import atomic_path, existing
from paraspec.measure.extract import Activations

KINDS = ("related", "unrelated", "routing")


def save_activations(
    found: Activations, path: Path, dtype: torch.dtype = torch.float32
) -> None:
    """Write activations, with the concepts' names in the header.

    Parameters
    ----------
    found
        Means per concept.
    path
        File to write.
    dtype
        Number format of the model: means of 16-bit numbers are stored in bfloat16, so
        that a statistic of a 7B model and 525 concepts stays below 400 MB.
    """
    stored = torch.float32 if dtype == torch.float32 else torch.bfloat16
    tensors = {
        f"{kind}.{layer}": tensor.to(stored).contiguous()
        for kind in KINDS
        for layer, tensor in enumerate(getattr(found, kind))
    }
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={"concepts": json.dumps(found.concepts)})


def load_activations(path: Path) -> Activations:
    """Read what :func:`save_activations` wrote."""
    found = existing(path, "Run paraspec extract first")
    with safe_open(found, framework="pt") as stored:
        concepts = tuple(json.loads(stored.metadata()["concepts"]))
        layers = range(len(stored.keys()) // len(KINDS))
        of_kind = {
            kind: tuple(stored.get_tensor(f"{kind}.{layer}") for layer in layers)
            for kind in KINDS
        }
    return Activations(concepts, **of_kind)

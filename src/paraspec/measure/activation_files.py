"""``activations.safetensors``: per layer ``related.<i>`` and ``unrelated.<i>``."""

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from paraspec.core.files import atomic_path, existing
from paraspec.measure.extract import Activations


def save_activations(found: Activations, path: Path) -> None:
    """Write activations, with the concepts' names in the header."""
    tensors = {}
    for layer, (related, unrelated) in enumerate(
        zip(found.related, found.unrelated, strict=True)
    ):
        tensors[f"related.{layer}"] = related.contiguous()
        tensors[f"unrelated.{layer}"] = unrelated.contiguous()
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={"concepts": json.dumps(found.concepts)})


def load_activations(path: Path) -> Activations:
    """Read what :func:`save_activations` wrote."""
    found = existing(path, "Run paraspec extract first")
    with safe_open(found, framework="pt") as stored:
        concepts = tuple(json.loads(stored.metadata()["concepts"]))
        layers = range(len(stored.keys()) // 2)
        related = tuple(stored.get_tensor(f"related.{i}") for i in layers)
        unrelated = tuple(stored.get_tensor(f"unrelated.{i}") for i in layers)
    return Activations(concepts, related, unrelated)

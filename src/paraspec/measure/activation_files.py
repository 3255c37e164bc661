"""Files of what value vectors are ranked by.

``activations.safetensors`` holds ``related.<i>``, ``unrelated.<i>`` and
``routing.<i>``, one tensor of each kind per layer ``i``, as :class:`Activations`
describes them, and the sums ``total.<i>``; ``statistics.safetensors`` what
:class:`Statistics` does, a contrast's tensors named ``<statistic>.related.<i>``,
``<statistic>.unrelated.<i>`` and ``<statistic>.total.<i>``. Headers name the concepts,
what was summed, and by concept the hash of all that its numbers depend on.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from paraspec.core.files import atomic_path, existing
from paraspec.measure.extract import Activations, Means, Total
from paraspec.measure.statistics import Statistics

KINDS = ("related", "unrelated", "routing")
SIDES = ("related", "unrelated")
SIZES = ("n_related", "n_unrelated")
HEADER = "paraspec"

Tensors = dict[str, Float[torch.Tensor, "..."]]
Marks = Mapping[str, str]
"""Concept to hash of what its numbers depend on."""


def save_activations(
    found: Activations,
    path: Path,
    dtype: torch.dtype = torch.float32,
    marks: Marks | None = None,
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
    marks
        What later runs know by that they can take a concept's numbers over.
    """
    tensors: Tensors = {}
    for kind in KINDS:
        tensors |= _numbered(kind, getattr(found, kind), _stored(dtype))
    header: dict[str, object] = {"concepts": found.concepts, "marks": marks or {}}
    if found.total is not None:
        tensors |= _numbered("total", found.total.sums, torch.float32)
        header["weight"] = found.total.weight
    _save(tensors, header, path)


def load_activations(path: Path) -> Activations:
    """Read what :func:`save_activations` wrote."""
    header, tensors = _load(path)
    weight = header.get("weight")
    total = Total(_by_layer(tensors, "total"), weight) if weight else None
    kinds = {kind: _by_layer(tensors, kind) for kind in KINDS}
    return Activations(tuple(header["concepts"]), **kinds, total=total)


def save_statistics(
    found: Statistics | None,
    path: Path,
    dtype: torch.dtype = torch.float32,
    marks: Marks | None = None,
) -> None:
    """Write statistics; ``dtype`` and ``marks`` as for :func:`save_activations`.

    Of a model that gets no controls there are none, and the file says so.
    """
    if found is None:
        _save({}, {"weights": {}, "marks": {}}, path)
        return
    tensors: Tensors = {name: getattr(found, name).contiguous() for name in SIZES}
    tensors |= _numbered("peak", found.peak, torch.float32)
    for name, means in found.means.items():
        total = found.totals[name]
        tensors |= _numbered(f"{name}.total", total.sums, torch.float32)
        for side in SIDES:
            layers = getattr(means, side)
            tensors |= _numbered(f"{name}.{side}", layers, _stored(dtype))
    weights = {name: total.weight for name, total in found.totals.items()}
    header = {"concepts": found.concepts, "weights": weights, "marks": marks or {}}
    _save(tensors, header, path)


def load_statistics(path: Path) -> Statistics | None:
    """Read what :func:`save_statistics` wrote."""
    header, tensors = _load(path)
    weights = header["weights"]
    if not weights:
        return None
    means = {
        name: Means(*(_by_layer(tensors, f"{name}.{side}") for side in SIDES))
        for name in weights
    }
    totals = {
        name: Total(_by_layer(tensors, f"{name}.total"), weight)
        for name, weight in weights.items()
    }
    peak, sizes = _by_layer(tensors, "peak"), (tensors[name] for name in SIZES)
    return Statistics(tuple(header["concepts"]), means, totals, peak, *sizes)


def known_by(path: Path, marks: Marks) -> list[str]:
    """Concepts whose numbers in an earlier file are those that would be read now."""
    try:
        with safe_open(path, framework="pt") as stored:
            known = json.loads(stored.metadata()[HEADER])["marks"]
    except (OSError, SafetensorError, TypeError, KeyError):  # none, or not ours
        return []
    return [concept for concept, mark in marks.items() if known.get(concept) == mark]


def _numbered(
    name: str, layers: Iterable[Float[torch.Tensor, "..."]], dtype: torch.dtype
) -> Tensors:
    """Tensors of all layers under their names in a file."""
    return {
        f"{name}.{layer}": tensor.to(dtype).contiguous()
        for layer, tensor in enumerate(layers)
    }


def _by_layer(tensors: Tensors, name: str) -> tuple[Float[torch.Tensor, "..."], ...]:
    """Every layer's tensor of a name, in order."""
    n_layers = sum(key.rpartition(".")[0] == name for key in tensors)
    return tuple(tensors[f"{name}.{layer}"] for layer in range(n_layers))


def _save(tensors: Tensors, header: Mapping[str, object], path: Path) -> None:
    # One text: safetensors writes several in random order.
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={HEADER: json.dumps(header)})


def _load(path: Path) -> tuple[dict[str, Any], Tensors]:
    found = existing(path, "Run paraspec extract first")
    with safe_open(found, framework="pt") as stored:
        header = json.loads(stored.metadata()[HEADER])
        return header, {key: stored.get_tensor(key) for key in list(stored.keys())}


def _stored(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype == torch.float32 else torch.bfloat16

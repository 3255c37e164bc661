"""Files of what value vectors are ranked by.

``activations.safetensors`` holds ``related.<i>``, ``unrelated.<i>`` and
``routing.<i>``, one tensor of each kind per layer ``i``, as :class:`Activations`
describes them; ``statistics.safetensors`` what :class:`Statistics` does, a contrast's
tensors named ``<statistic>.related.<i>`` and ``<statistic>.unrelated.<i>``.
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from paraspec.core.files import atomic_path, existing
from paraspec.measure.extract import Activations, Means
from paraspec.measure.statistics import Statistics

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
    stored = _stored(dtype)
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


SIDES = ("related", "unrelated")
PER_LAYER = ("mean", "peak")
SIZES = ("n_related", "n_unrelated")


def save_statistics(
    found: Statistics | None, path: Path, dtype: torch.dtype = torch.float32
) -> None:
    """Write statistics; ``dtype`` as for :func:`save_activations`.

    Of a model that gets no controls there are none, and the file says so.
    """
    stored = _stored(dtype)
    if found is None:
        with atomic_path(path) as partial:
            save_file({}, partial, metadata={"statistics": "[]"})
        return
    tensors = {
        f"{name}.{side}.{layer}": tensor.to(stored).contiguous()
        for name, means in found.means.items()
        for side in SIDES
        for layer, tensor in enumerate(getattr(means, side))
    }
    tensors |= {
        f"{name}.{layer}": tensor.contiguous()
        for name in PER_LAYER
        for layer, tensor in enumerate(getattr(found, name))
    }
    tensors |= {name: getattr(found, name).contiguous() for name in SIZES}
    header = {"statistics": json.dumps(list(found.means))}
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata=header)


def load_statistics(path: Path) -> Statistics | None:
    """Read what :func:`save_statistics` wrote."""
    found = existing(path, "Run paraspec extract first")
    with safe_open(found, framework="pt") as stored:
        names = json.loads(stored.metadata()["statistics"])
        if not names:
            return None
        layers = range(sum(key.startswith("peak.") for key in list(stored.keys())))

        def by_layer(name: str) -> tuple[torch.Tensor, ...]:
            return tuple(stored.get_tensor(f"{name}.{layer}") for layer in layers)

        means = {
            name: Means(*(by_layer(f"{name}.{side}") for side in SIDES))
            for name in names
        }
        mean, peak = map(by_layer, PER_LAYER)
        n_related, n_unrelated = map(stored.get_tensor, SIZES)
    return Statistics(means, mean, peak, n_related, n_unrelated)


def _stored(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype == torch.float32 else torch.bfloat16

"""Marks: hashes of all that numbers depend on, so that none is computed twice.

A concept's mark stands in the file beside its numbers; a later run takes them over
where its own mark of that concept is the same.
"""

import json
from collections.abc import Mapping, Sequence

import torch
import transformers

from paraspec.core.config import Asking
from paraspec.core.files import sha256_text
from paraspec.measure.extract import Membership
from paraspec.measure.prompts import Prompt
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest


def fingerprint(made_with: Mapping[str, object]) -> str:
    """Hash of all that numbers depend on."""
    return sha256_text(json.dumps(made_with, sort_keys=True))


def run_facts(
    loaded: LoadedModel,
    manifest: Manifest,
    asking: Asking,
    batch_rows: int,
    code: str,
) -> dict[str, object]:
    """What all numbers of a run depend on; ``code`` is the hash of what computes."""
    return {
        "weights": manifest.weights_sha256,
        "asking": [asking.scorer, asking.chat, asking.config.model_dump_json()],
        "run": [batch_rows, code],
        "model": [str(loaded.model.dtype), loaded.model.device.type],
        "libraries": [torch.__version__, transformers.__version__],
    }


def part_marks(
    facts: Mapping[str, object],
    labels: Sequence[Membership],
    *asked: Sequence[Prompt],
) -> dict[str, str]:
    """Mark of every concept whose coefficients are averaged.

    One for all of the study's own concepts, which share batches and are unrelated to
    one another; an added concept's depends on theirs.

    Parameters
    ----------
    facts
        What the whole run depends on.
    labels
        Which sums each item enters, first the true labels, then permuted ones.
    asked
        The items, once for each format in which they are read.
    """
    marks: dict[str, str] = {}
    own = ""
    for parts in zip(*(members.parts() for members in labels), strict=True):
        items = set().union(*(part.lines_of for part in parts))
        read = [[p for p in prompts if p.item in items] for prompts in asked]
        lines = [sorted(part.lines_of.items()) for part in parts]
        on = {"own": own, "read": _hash(read), "lines": _hash(lines)}
        mark = fingerprint({**facts, **on})
        own = own or mark
        marks |= dict.fromkeys(parts[0].concepts, mark)
    return marks


def _hash(value: object) -> str:
    return sha256_text(repr(value))

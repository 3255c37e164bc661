"""What the hashes of a finished step stood for, so that a change can be told by name.

A rule's parameters hold one hash of its code and one of its libraries. Their parts,
hashes of modules and versions of libraries, are kept beside, in the study's folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from paraspec.core.files import write_text

FILE = ".steps.json"
Parts = Mapping[str, str]
"""Module to hash, or library to version."""


def remember(folder: Path, found: Mapping[str, Parts]) -> None:
    """Add what hashes stand for to what is known of a study's steps."""
    known = recalled(folder)
    if not set(found) <= set(known):
        write_text(folder / FILE, json.dumps({**known, **found}, sort_keys=True))


def recalled(folder: Path) -> dict[str, dict[str, str]]:
    """Hash to its parts; empty where nothing readable was kept.

    Only explanations are made from it, so that a damaged file costs these alone.
    """
    try:
        found: dict[str, dict[str, str]] = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return found


def different(before: Parts, now: Parts) -> list[str]:
    """Names whose part differs, or that only one side has.

    >>> different({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    ['b', 'c']
    """
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))

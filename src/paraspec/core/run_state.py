"""What Snakemake notes beside a study's results: locks, unfinished files, times.

Read from ``<study>/.snakemake``, in the layout of the Snakemake version that is pinned.
"""

import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from paraspec.core.errors import UserError

PIECE = 254
"""A note's name is its file's path in base64, cut into folders where it is longer."""


def note(root: Path, kind: str, path: str) -> Path:
    """Where Snakemake keeps its note of one file.

    >>> note(Path("s"), "metadata", "report.html").as_posix()
    's/.snakemake/metadata/cmVwb3J0Lmh0bWw='
    """
    name = urlsafe_b64encode(path.encode()).decode()
    *folders, last = [name[at : at + PIECE] for at in range(0, len(name), PIECE)]
    folder = root / ".snakemake" / kind
    return folder.joinpath(*(f"@{piece}" for piece in folders), last)


class Maker(NamedTuple):
    """Who made a file; compares by time, as makers of one study's files do."""

    finished: float
    rule: str


NOBODY = Maker(0.0, "")
"""Of a file that no job of this study made, as far as is known."""


def maker(root: Path, path: str) -> Maker:
    """Rule whose job made a file, and the file's time when it ended."""
    try:
        found = json.loads(note(root, "metadata", path).read_text(encoding="utf-8"))
        return Maker(float(found["endtime"]), str(found["rule"]))
    except (OSError, ValueError, TypeError, KeyError):
        return NOBODY


def is_locked(root: Path) -> bool:
    """Whether a run is going on, or was killed and left its locks."""
    return any((root / ".snakemake/locks").glob("*.lock"))


def unfinished(root: Path) -> list[str]:
    """Files whose jobs were started and have not ended, in order of their names."""
    folder = root / ".snakemake/incomplete"
    notes = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(_named(path.relative_to(folder)) for path in notes)


def _named(path: Path) -> str:
    name = "".join(piece.removeprefix("@") for piece in path.parts)
    return urlsafe_b64decode(name).decode()


def settle_clocks(paths: Iterable[Path]) -> list[Path]:
    """Set files' times that lie in the future to now, and return these files.

    Snakemake deletes what a job has made if it looks older than what the job has read.
    """
    now, settled = time.time(), []
    for path in paths:
        if path.exists() and path.stat().st_mtime > now:
            os.utime(path, (now, now))
            settled.append(path)
    return settled


def refuse_readonly(root: Path) -> None:
    """Raise where nothing can be written into a study's folder.

    Raises
    ------
    UserError
        Snakemake itself would end in a traceback, even if it had nothing to do.
    """
    if not os.access(root, os.W_OK):
        raise UserError(
            root.absolute(),
            "nothing can be written into this folder",
            "Mount it for writing, give it to the user who runs the study, or name "
            "another study in the configuration",
        )


def refuse_unfinished(root: Path, configfile: Path, purpose: str) -> None:
    """Raise where a run of the study goes on, or was broken off.

    Raises
    ------
    UserError
        With the way out.
    """
    command = f"snakemake --configfile {configfile}"
    if is_locked(root):
        raise UserError(
            root,
            f"a run is going on, or was killed; {purpose} waits for its end",
            "Wait for it. If none is running any more: "
            f"{command} --unlock, then {command}",
        )
    if files := unfinished(root):
        others = f" and {len(files) - 1} more" if len(files) > 1 else ""
        raise UserError(
            root / files[0],
            f"its job did not end{others}; {purpose} waits for a finished study",
            f"Finish it: {command}",
        )

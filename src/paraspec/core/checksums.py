"""Checksums of a study's finished files, and which files no longer match them.

The workflow records them when a run ends (``checksums.json``, one home, which travels
with the results). A file is read again only where its time or size is not the one that
was seen here last.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from paraspec.core.errors import UserError
from paraspec.core.files import sha256_of, write_text
from paraspec.core.run_state import NOBODY, is_locked, maker, unfinished

NAME = "checksums.json"
SEEN = ".snakemake/seen.json"
"""Time and size of each file when it last matched; of this machine, so not shared."""
MISSING = "missing"
REPAIRING = "PARASPEC_REPAIRING"
"""Set for the run that makes faulty files again: it must not stop because of them."""


@dataclass(frozen=True)
class Checksum:
    """A finished file: its bytes, and its time when its job ended."""

    size: int
    sha256: str
    finished: float


@dataclass(frozen=True)
class Fault:
    """A file that is not as its job left it."""

    path: str
    what: str


def read_checksums(root: Path) -> dict[str, Checksum]:
    """Recorded files of a study, by path within its folder; none before a run ended."""
    try:
        text = (root / NAME).read_text(encoding="utf-8")
        return {path: Checksum(**of) for path, of in json.loads(text).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise UserError(
            root / NAME,
            f"unreadable ({error})",
            f"Delete it and report.html; the next run makes {NAME} anew",
        ) from None


def faults(root: Path) -> list[Fault]:
    """Files that are missing, or whose bytes are others than when their job ended."""
    recorded, seen, started = read_checksums(root), _read_seen(root), unfinished(root)
    found = []
    for path, checksum in recorded.items():
        if path in started:  # Snakemake makes it again by itself
            continue
        what = _fault(root, path, checksum, seen)
        if what:
            found.append(Fault(path, what))
    _write_seen(root, seen)
    return found


def _fault(root: Path, path: str, checksum: Checksum, seen: dict[str, str]) -> str:
    """What is wrong with a file, or nothing; notes what was seen of a good one."""
    try:
        look = _look(root / path)
    except FileNotFoundError:
        return MISSING
    if seen.get(path) == look:
        return ""
    if maker(root, path).finished not in (checksum.finished, NOBODY.finished):
        return ""  # made anew by a run that was killed before it could record
    size = (root / path).stat().st_size
    if size != checksum.size:
        return f"has {size} bytes instead of {checksum.size}"
    if sha256_of(root / path) != checksum.sha256:
        return "has other bytes"
    seen[path] = look
    return ""


def refuse_changed(root: Path, made: Callable[[str], bool], config: str) -> None:
    """Raise where a file of the study that is ``made`` by a rule has other bytes.

    A missing file is no fault here: Snakemake makes it again where it is needed. Nor
    is anything as long as a run goes on.
    """
    if is_locked(root):
        return
    changed = [fault for fault in faults(root) if fault.what != MISSING]
    found = [fault for fault in changed if made(fault.path)]
    if found:
        more = f" (and {len(found) - 1} more files)" if len(found) > 1 else ""
        raise UserError(
            root.absolute() / found[0].path,
            f"{found[0].what} since its job ended{more}",
            f"Rebuild just that: paraspec doctor --repair --configfile {config}",
        )


def record(root: Path, outputs: Iterable[str], *, whole: bool) -> None:
    """Record the finished ones of these files; if they are the whole study, only them.

    Files whose job failed or was interrupted keep out.
    """
    before, seen, started = read_checksums(root), _read_seen(root), unfinished(root)
    names = {path for path in outputs if not path.startswith("..")}
    there = {path for path in names if (root / path).is_file()} - set(started)
    kept = {path: of for path, of in before.items() if not whole or path in names}
    after = kept | {path: _recorded(root, path, before, seen) for path in there}
    if after != before:
        values = {path: asdict(after[path]) for path in sorted(after)}
        write_text(root / NAME, json.dumps(values, indent=0) + "\n")
    _write_seen(root, {path: seen[path] for path in sorted(after) if path in seen})


def _recorded(
    root: Path, path: str, before: dict[str, Checksum], seen: dict[str, str]
) -> Checksum:
    """Checksum of a file, from its bytes only where it was made anew."""
    finished, known = maker(root, path).finished, before.get(path)
    if known and known.finished == finished:
        return known  # whether its bytes still match is for `faults` to say
    seen[path] = _look(root / path)
    file = root / path
    return Checksum(file.stat().st_size, sha256_of(file), finished)


def _look(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_mtime_ns} {stat.st_size}"


def _read_seen(root: Path) -> dict[str, str]:
    try:
        found = json.loads((root / SEEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_seen(root: Path, seen: dict[str, str]) -> None:
    """Keep what was seen; a folder that cannot be written is only slower next time."""
    try:
        if seen != _read_seen(root):
            write_text(root / SEEN, json.dumps(seen))
    except OSError:
        return

"""From Snakemake's reasons to plain sentences: what changed, and what follows from it.

Snakemake gives every job a reason, most of them that another job comes first. Told are
only the jobs with a reason of their own, and the way from each to the file asked for.
"""

import json
import os
import re
import shlex
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from paraspec.cli.dry_run import Job
from paraspec.cli.main import GROUPS, entry_point
from paraspec.core.closure import (
    PACKAGE,
    code_hash,
    code_parts,
    environment_hash,
    libraries,
)
from paraspec.core.run_state import note
from paraspec.core.step_parts import Parts, different, recalled
from paraspec.report.catalogue import module_of

LOCK = PACKAGE.parents[1] / "envs/requirements.lock"
N_FILES = 3
"""Most files that one reason names."""
HASH = re.compile(r"\b[0-9a-f]{16}\b")
FOLLOWS = "Input files updated by another job"
PARAMS = "Params have changed since last execution"
MISSING = "Missing output files"
PLAIN = {
    MISSING: "missing: {}",
    "Incomplete output files": "left incomplete: {}",
    "Updated input files": "changed: {}",
    "Code has changed since last execution": "the rule calls its command otherwise",
    "Software environment definition has changed since last execution": (
        "the rule's environment has changed"
    ),
    "Forced execution": "it was asked for by force",
}
"""Snakemake's reasons in plain words, ``{}`` for the files that they name."""


def explained(target: str, jobs: Sequence[Job], folder: Path) -> Iterator[str]:
    """Say in lines why a file would be made again, or that it would not.

    Parameters
    ----------
    target
        The file, seen from the study's folder.
    jobs
        Jobs that would run for it.
    folder
        The study's folder.
    """
    last = next((job for job in jobs if target in job.outputs), None)
    if last is None:
        yield (
            f"{target} would not be made again: its inputs, settings, code and "
            "libraries are those it was made with."
        )
        return
    state = "made again" if (folder / target).exists() else "made"
    yield f"{target} would be {state} by rule {last.rule}, because"
    for causes, first in _by_causes(jobs, folder).items():
        yield f"- {'; '.join(causes)} ({_named(first)})"
        way = _way(first[0], last, jobs)
        if len(way) > 1:
            yield f"    from there: {' -> '.join(way)}"
    if len(jobs) > 1:
        yield f"{len(jobs)} jobs in all; `snakemake -n` lists them."


def _by_causes(
    jobs: Sequence[Job], folder: Path
) -> Mapping[tuple[str, ...], list[Job]]:
    """Jobs with reasons of their own, by these reasons."""
    found: dict[tuple[str, ...], list[Job]] = defaultdict(list)
    for job in jobs:
        if causes := tuple(_causes(job, folder)):
            found[causes].append(job)
    return found


def _named(jobs: Sequence[Job]) -> str:
    """Rules of jobs, each with the models that it is about."""
    models: dict[str, list[str]] = {}
    for job in jobs:
        models.setdefault(job.rule, []).extend([job.model] if job.model else [])
    told = [f"{rule} of {', '.join(of)}" if of else rule for rule, of in models.items()]
    return "rule " + "; rule ".join(told)


def _way(first: Job, last: Job, jobs: Sequence[Job]) -> list[str]:
    """Rules of the shortest chain from a job to another."""
    came: dict[Job, Job | None] = {first: None}
    ahead = deque([first])
    while ahead:
        job = ahead.popleft()
        for following in jobs:
            if following not in came and set(job.outputs) & set(following.inputs):
                came[following] = job
                ahead.append(following)
    chain: list[str] = []
    at: Job | None = last if last in came else None
    while at is not None:
        chain.insert(0, at.rule)
        at = came[at]
    return chain


def _causes(job: Job, folder: Path) -> Iterator[str]:
    """Reasons of a job's own, in plain words."""
    record = _record(job, folder)
    reasons = job.reason.split("; ")
    follows = any(reason.startswith(FOLLOWS) for reason in reasons)
    for reason in reasons:
        kind, _, what = reason.partition(": ")
        if kind == FOLLOWS or (kind == MISSING and follows):
            continue  # another job's reason explains this one
        if kind == PARAMS:
            yield from _changed_settings(job, record, what, folder)
        elif kind.startswith("Set of input files"):
            yield from _changed_inputs(job, record)
        else:
            yield PLAIN.get(kind, reason).format(_files_told(what, folder))


def _files_told(listed: str, folder: Path) -> str:
    """Files that Snakemake names, seen from where the user stands."""
    paths = [os.path.relpath(folder / path) for path in listed.split(", ")]
    shown = ", ".join(paths[:N_FILES])
    more = len(paths) - N_FILES
    return f"{shown} and {more} more" if more > 0 else shown


def _record(job: Job, folder: Path) -> dict[str, object]:
    """What Snakemake noted when the job ran last; empty where it cannot be read."""
    path = note(folder, "metadata", job.outputs[0])
    try:
        found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _changed_inputs(job: Job, record: Mapping[str, object]) -> Iterator[str]:
    before = record.get("input")
    earlier = set(before) if isinstance(before, list) else set()
    if new := [path for path in job.inputs if path not in earlier]:
        yield f"it reads also {', '.join(new)}"
    if gone := sorted(earlier - set(job.inputs)):
        yield f"it reads no longer {', '.join(gone)}"


def _changed_settings(
    job: Job, record: Mapping[str, object], told: str, folder: Path
) -> Iterator[str]:
    """Name what changed: code, libraries, options of the command; else any value."""
    before, _, now = told.partition("before: ")[2].partition(" now: ")
    named = [
        f"its {what} changed{_parts_told(parts, before, folder)}"
        for what, (current, parts) in _made_with(job).items()
        if current in now
    ]
    named += _changed_options(str(record.get("shellcmd") or job.command), job.command)
    yield from named or [f"a setting changed from {before} to {now.strip()}"]


def _made_with(job: Job) -> dict[str, tuple[str, Parts]]:
    """Hashes of a job's code and libraries as they are now, and their parts."""
    words = shlex.split(job.command)
    name = words[words.index("paraspec") + 1 :][:2]
    command = " ".join(name) if name[0] in GROUPS else name[0]
    figure = words[words.index("--only") + 1] if "--only" in words else ""
    step = entry_point(command)
    only = module_of(figure) if figure else ""
    return {
        "code": (code_hash(*step, only), code_parts(*step, only)),
        "libraries": (
            environment_hash(*step, LOCK, only),
            libraries(*step, LOCK, only),
        ),
    }


def _parts_told(now: Parts, before: str, folder: Path) -> str:
    """Names of the modules or libraries that differ, where what was is known."""
    known = recalled(folder)
    earlier = [known[found] for found in HASH.findall(before) if found in known]
    for parts in earlier:
        if set(parts) & set(now):
            names = different(parts, now)
            return ": " + ", ".join(_part_told(name, parts, now) for name in names)
    return " (which part was not recorded)"


def _part_told(name: str, before: Parts, now: Parts) -> str:
    if name.startswith(PACKAGE.name):
        return name
    return f"{name} {before.get(name, 'none')} -> {now.get(name, 'none')}"


def _changed_options(before: str, now: str) -> list[str]:
    """Options of a command that differ.

    >>> _changed_options("run --seed 0 --fast > log", "run --seed 1 > log")
    ['--fast is gone', "--seed was '0' and is '1'"]
    """
    old, new = _options(before), _options(now)
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, is_now = old.get(name), new.get(name)
        if was == is_now:
            continue
        if is_now is None:
            found.append(f"{name} is gone")
        elif was is None:
            found.append(f"{name} {is_now} is new".replace("  ", " "))
        else:
            found.append(f"{name} was {was!r} and is {is_now!r}")
    return found


def _options(command: str) -> dict[str, str]:
    """Option to its values, from a command line without what it is redirected to."""
    found: dict[str, list[str]] = {}
    name = "its arguments"
    for word in shlex.split(command.partition(" > ")[0]):
        if word.startswith("--"):
            name = word
            found.setdefault(name, [])
        else:
            found.setdefault(name, []).append(word)
    return {name: " ".join(words) for name, words in found.items()}

"""Every way on the same work: first the same answers, then seconds."""

import copy
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from benchmarks.agreement import (
    TOLERANCE_NATS,
    Answered,
    Difference,
    by_row,
    difference,
    require_agreement,
    require_effect,
)
from benchmarks.cases import Case
from benchmarks.meter import Run, median_run, threads, timed
from benchmarks.peers import PEERS, batched_sequences
from benchmarks.ways import Way, ours, plain_loop
from benchmarks.work import Work, some_masks, spread, unmasked
from paraspec.core.errors import UserError
from paraspec.models.compiled import compile_beside_sites
from paraspec.models.load import LoadedModel
from paraspec.models.sites import value_vector_sites

LOOP, OURS, COMPILED = "plain loop", "ours", "ours, compiled"


@dataclass(frozen=True)
class Setting:
    """With what a way runs fastest."""

    threads: int
    batch_rows: int


@dataclass(frozen=True)
class Outcome:
    """What a way did."""

    way: str
    setting: Setting
    rows: int
    """Rows that it answered."""
    seconds: float
    """For all rows of the work: extrapolated if it answered fewer."""
    peak_bytes: int
    working_bytes: int
    """Of the peak, what stood not there before the run."""
    difference: Difference
    """From the plain loop where that answered, else from ours."""


@dataclass(frozen=True)
class Comparison:
    """What all ways did, and which are missing."""

    outcomes: Sequence[Outcome]
    left_out: Mapping[str, str]
    """Peers that did not run, with the reason."""


def available(work: Work) -> tuple[dict[str, Way], dict[str, str]]:
    """Every way that can run here, and the reason for each that cannot."""
    ways: dict[str, Way] = {LOOP: plain_loop, OURS: ours}
    left_out = {}
    for name, connect in PEERS.items():
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            left_out[name] = "not installed: `make bench` installs it"
            continue
        ways[name] = batched_sequences(connect(work.loaded))
    return ways, left_out


def compare(work: Work, case: Case, say: Callable[[str], None]) -> Comparison:
    """Check that all ways give the same answers, then time each.

    Parameters
    ----------
    work
        What to answer.
    case
        Batch sizes and threads to choose from, and how much the loop answers.
    say
        Told what happens.

    Raises
    ------
    UserError
        If a way's answers differ, or masks change none.
    """
    check_in_float32(work.only(spread(work.rows, case.checked_rows)), say)
    ways, left_out = available(work)
    if case.compiled:
        ways[COMPILED] = ours  # the last: the model stays compiled
    tolerance = TOLERANCE_NATS[case.dtype]
    outcomes: list[Outcome] = []
    reference: Answered = {}
    for name, way in ways.items():
        mine = (
            work.only(some_masks(work.rows, case.loop_rows)) if name == LOOP else work
        )
        if name == COMPILED:
            try:
                compile_beside_sites(work.loaded)
            except UserError as error:
                left_out[name] = str(error)
                continue
        setting = best_setting(way, mine, case, batched=name != LOOP)
        say(f"timing {name}: {len(mine.rows)} rows, {setting}")
        repeats = 1 if name == LOOP else case.repeats
        run = repeated(way, mine, setting, repeats)
        say(f"  {run.seconds:.2f} s")
        answered = by_row(mine, run.answers)
        found = difference(answered, reference, tolerance)
        require_agreement(name, found, tolerance)
        reference = {**answered, **reference}
        outcomes.append(
            Outcome(
                way=name,
                setting=setting,
                rows=len(mine.rows),
                seconds=run.seconds * len(work.rows) / len(mine.rows),
                peak_bytes=run.peak_bytes,
                working_bytes=run.peak_bytes - run.rest_bytes,
                difference=found,
            )
        )
    return Comparison(outcomes, left_out)


def check_in_float32(work: Work, say: Callable[[str], None]) -> None:
    """Let every way answer with the same weights in float32, and compare.

    Raises
    ------
    UserError
        If a way's answers differ from the plain loop's, or masks change none.
    """
    model = copy.deepcopy(work.loaded.model).float()
    exact = LoadedModel(model, work.loaded.tokenizer, value_vector_sites(model))
    work = replace(work, loaded=exact)
    ways, _ = available(work)
    say(f"checking {', '.join(ways)} on {len(work.rows)} rows in float32")
    tolerance = TOLERANCE_NATS["float32"]
    expected = by_row(work, ways[LOOP](work, 1))
    for name, way in ways.items():
        found = by_row(work, way(work, len(work.rows)))
        require_agreement(name, difference(found, expected, tolerance), tolerance)
    bare = ours(work.only([unmasked(row) for row in work.rows]), len(work.rows))
    require_effect(expected, bare, tolerance)


def best_setting(way: Way, work: Work, case: Case, *, batched: bool) -> Setting:
    """Threads and batch size with which a way is fastest on some of the rows."""
    sizes = case.batch_rows if batched else (1,)
    settings = [Setting(*pair) for pair in product(case.threads, sizes)]
    if len(settings) == 1:
        return settings[0]
    n_rows = case.trial_rows if batched else case.trial_rows // 10
    some = work.only(some_masks(work.rows, n_rows))
    seconds = {s: repeated(way, some, s, 1).seconds for s in settings}
    return min(seconds, key=lambda s: seconds[s])


def repeated(way: Way, work: Work, setting: Setting, repeats: int) -> Run:
    """Run a way some times on the same work; the median counts."""
    with threads(setting.threads):
        return median_run(
            [
                timed(lambda: way(work, setting.batch_rows), work.loaded.model.device)
                for _ in range(repeats)
            ]
        )

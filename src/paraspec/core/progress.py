"""Progress of long work: a bar on a terminal, a plain line now and then in a log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[float], None]]:
    """Yield a function that is told how much more is done.

    Parameters
    ----------
    label
        What is being done, e.g. ``scoring llama-64``.
    total
        Amount of work in the unit of the calls.
    """
    if sys.stderr.isatty():
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task(label, total=total)
            yield lambda n: bar.advance(task, n)
        return
    started = last = time.monotonic()
    done = 0.0

    def advance(n: float) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            logger.info("%s: %.0f of %d, %.0f s", label, done, total, now - started)

    yield advance
    logger.info(
        "%s: %.0f of %d, %.1f s", label, done, total, time.monotonic() - started
    )

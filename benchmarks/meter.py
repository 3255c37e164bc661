"""Seconds, peak memory, and the matrix-product rate of a device."""

import ctypes
import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psutil
import torch

from paraspec.measure.scoring import Answer

SECONDS_BETWEEN_SAMPLES = 0.01


@dataclass(frozen=True)
class Run:
    """One timed run."""

    answers: list[Answer]
    seconds: float
    peak_bytes: int
    """Device memory; on a CPU the process's resident set, libraries included."""
    rest_bytes: int
    """The same before the run: weights, and whatever else stays."""


def timed(run: Callable[[], list[Answer]], device: torch.device) -> Run:
    """Run once; take the time and the peak memory."""
    give_memory_back(device)
    rest = memory_now(device)
    with peak_memory(device) as peak:
        synchronise(device)
        started = time.perf_counter()
        answers = run()
        synchronise(device)
        seconds = time.perf_counter() - started
    return Run(answers, seconds, peak[0], rest)


def synchronise(device: torch.device) -> None:
    """Wait for the device; a CPU has nothing pending."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def give_memory_back(device: torch.device) -> None:
    """Free what an earlier run left, so that the next one's peak is its own."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)


def memory_now(device: torch.device) -> int:
    """Bytes that the device holds; on a CPU the process's resident set."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return int(psutil.Process().memory_info().rss)


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[int]]:
    """Yield a list that holds the peak in bytes once the block has ended."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        peak: list[int] = []
        yield peak
        peak.append(torch.cuda.max_memory_allocated(device))
        return
    done = threading.Event()
    peak = [memory_now(device)]

    def sample() -> None:
        while not done.wait(SECONDS_BETWEEN_SAMPLES):
            peak[0] = max(peak[0], memory_now(device))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch use that many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def matmul_rate(
    device: torch.device, dtype: torch.dtype, size: int, repeats: int
) -> float:
    """Median operations per second of a square matrix product of random numbers."""
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(repeats + 2):
        synchronise(device)
        started = time.perf_counter()
        a @ b
        synchronise(device)
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / statistics.median(seconds[2:])  # two to warm up


def median_run(runs: Sequence[Run]) -> Run:
    """The run of median time (of two the slower), with the highest peak of all."""
    middle = sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]
    return replace(middle, peak_bytes=max(run.peak_bytes for run in runs))

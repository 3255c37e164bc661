"""What happens to disks, clocks and processes: a message, and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paraspec.core.run_state import note
from tests.command import paraspec
from tests.workflow.conftest import BASE, MODELS, Study, jobs
from tests.workflow.project import NOTHING

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("workflow")]
TARGET = "data/tokenizer.json"  # two jobs, seconds
TRAINED = "models/gpt2-s/model.json"  # one more


@pytest.fixture
def small(tmp_path, study) -> Study:
    """The smoke study's files in a folder of their own, not run yet."""
    made = Study(tmp_path)
    made.table.write_text(MODELS)
    (made.folder / "concepts.jsonl").write_text(
        (study.folder / "concepts.jsonl").read_text()
    )
    made.write()
    made.results.mkdir()
    return made


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of this size at the folder; needs root, as mounting does."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "paraspec", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def told(study: Study, *arguments: str, fails: bool = False) -> str:
    run = study.snakemake(*arguments)
    text = run.stdout + run.stderr
    assert bool(run.returncode) == fails, text
    assert "Traceback" not in text
    return text


def test_a_full_or_readonly_disk_is_named_and_the_run_goes_on(small):
    with small_disk(small.results, "40k"):
        concepts = str(small.folder / "concepts.jsonl")
        planned = ("--per-cell", "1", "--general-items", "20", "--exposures", "8,2,1")
        to = ("--results", str(small.results))
        by_hand = paraspec("data", "plan", concepts, *planned, *to)
        assert by_hand.returncode == 1
        assert "No space left on device" in by_hand.stderr
        assert "Free some space and run again" in by_hand.stderr
        assert "Traceback" not in by_hand.stderr
        remount(small.results, "size=84k")
        assert "No space left on device" in told(small, "--", TARGET, fails=True)
        assert not list(small.results.rglob("*.partial"))
        remount(small.results, "size=20m")
        assert "2 of 2 steps" in told(small, "--", TARGET)
        remount(small.results, "ro")
        refused = told(small, "--", TARGET, fails=True)
        assert "nothing can be written into this folder" in refused
        remount(small.results, "rw")
        assert NOTHING in told(small, "--", TARGET)


def test_a_second_run_waits_and_a_killed_one_leaves_a_way_out(small):
    first = start(small, TRAINED)
    try:
        until(note(small.results, "incomplete", TRAINED).exists)
        os.killpg(first.pid, signal.SIGSTOP)  # in the midst of that job
        refused = told(small, "--", TRAINED, fails=True)
        assert "cannot be locked" in refused
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    (small.results / TRAINED).parent.mkdir(parents=True, exist_ok=True)
    (small.results / TRAINED).write_text("{")  # half of it
    assert "--unlock" in told(small, "--", TRAINED, fails=True)
    told(small, "--unlock")
    again = told(small, "--", TRAINED)
    assert jobs(again) == {"train": 1}
    assert json.loads((small.results / TRAINED).read_text())["d_ff"] == [32]


def test_clocks_that_differ_rerun_nothing(finished):
    table = finished.results / "measure/gpt2-s/pss.csv"
    kept = table.stat()
    try:
        os.utime(table, (time.time() + 7200,) * 2)  # made on a machine two hours ahead
        assert NOTHING in told(finished, "-n")
    finally:
        os.utime(table, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def test_a_job_runs_on_files_from_the_future(finished):
    read, made = (
        finished.results / f"tables/{n}" for n in ("headline.json", "claims.csv")
    )
    whole = made.read_bytes()
    os.utime(read, (time.time() + 7200,) * 2)
    made.unlink()
    said = told(finished, "tables/claims.csv")
    assert jobs(said) == {"judge": 1}
    assert "had a time in the future" in said
    assert read.stat().st_mtime <= time.time()
    assert made.read_bytes() == whole


def start(study: Study, *targets: str) -> subprocess.Popen[str]:
    """Snakemake in the background, in a process group of its own."""
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", "1"),
        *("--snakefile", str(BASE / "Snakefile")),
        *("--workflow-profile", str(BASE / "profiles/default")),
        *("--configfile", str(study.config), "--directory", str(study.results)),
        *("--", *targets),
    ]
    return subprocess.Popen(
        command,
        cwd=BASE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def until(happened: Callable[[], bool]) -> None:
    """Wait for something, for a minute at most."""
    for _ in range(1200):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within a minute")

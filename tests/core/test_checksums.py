"""Finished files are told from faulty ones, by bytes and by Snakemake's own notes."""

import json
import os
import time

import pytest

from paraspec.core.checksums import (
    NAME,
    SEEN,
    Fault,
    faults,
    read_checksums,
    record,
    refuse_changed,
)
from paraspec.core.errors import UserError
from paraspec.core.run_state import (
    maker,
    note,
    refuse_unfinished,
    settle_clocks,
    unfinished,
)

LONG = "measure/" + "m" * 200 + "/items.parquet"


def finish(root, path, text):
    """A file as a finished job leaves it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    written = note(root, "metadata", path)
    written.parent.mkdir(parents=True, exist_ok=True)
    facts = {"endtime": file.stat().st_mtime, "rule": "made"}
    written.write_text(json.dumps(facts))


@pytest.fixture
def study(tmp_path):
    for path in ("data/a.csv", "data/b.csv"):
        finish(tmp_path, path, f"the bytes of {path}")
    record(tmp_path, ["data/a.csv", "data/b.csv", "../shared.txt"], whole=True)
    return tmp_path


def test_good_files_have_no_fault_and_files_of_others_are_not_recorded(study):
    assert set(read_checksums(study)) == {"data/a.csv", "data/b.csv"}
    assert faults(study) == []


def test_flipped_cut_and_deleted_files_are_named(study):
    a, b = study / "data/a.csv", study / "data/b.csv"
    a.write_text(a.read_text().swapcase())
    b.write_text("short")
    assert faults(study) == [
        Fault("data/a.csv", "has other bytes"),
        Fault("data/b.csv", "has 5 bytes instead of 23"),
    ]
    a.unlink()
    assert faults(study)[0] == Fault("data/a.csv", "missing")


def test_a_touched_or_copied_file_is_no_fault(study):
    os.utime(study / "data/a.csv", (1, 1))
    (study / SEEN).unlink()
    assert faults(study) == []


def test_a_fault_stays_one_until_a_job_makes_the_file_again(study):
    (study / "data/a.csv").write_text("else")
    for _ in range(2):  # not noted as seen
        assert [fault.path for fault in faults(study)] == ["data/a.csv"]
    record(study, ["data/a.csv", "data/b.csv"], whole=True)
    assert [fault.path for fault in faults(study)] == ["data/a.csv"]
    finish(study, "data/a.csv", "made anew, by a run that was killed")
    assert faults(study) == []
    record(study, ["data/a.csv"], whole=False)
    assert faults(study) == []
    assert set(read_checksums(study)) == {"data/a.csv", "data/b.csv"}


def test_what_a_whole_study_no_longer_makes_is_forgotten(study):
    record(study, ["data/b.csv"], whole=True)
    assert set(read_checksums(study)) == {"data/b.csv"}


def test_a_deleted_file_is_still_known_after_a_run_that_did_not_need_it(study):
    (study / "data/a.csv").unlink()
    record(study, ["data/a.csv", "data/b.csv"], whole=True)
    assert faults(study) == [Fault("data/a.csv", "missing")]


def test_unfinished_files_are_left_to_snakemake(study):
    mark = note(study, "incomplete", "data/a.csv")
    mark.parent.mkdir(parents=True)
    mark.touch()
    (study / "data/a.csv").write_text("half")
    assert faults(study) == []
    with pytest.raises(UserError, match=r"data/a.csv: its job did not end.*Finish it"):
        refuse_unfinished(study, "config/x.yaml", "push")


def test_a_run_stops_at_changed_files_that_it_makes_and_at_no_other(study):
    (study / "data/a.csv").write_text("else")
    with pytest.raises(
        UserError, match=r"a.csv: has 4 bytes.*paraspec doctor --repair"
    ):
        refuse_changed(study, lambda path: True, "config/x.yaml")
    refuse_changed(study, lambda path: path != "data/a.csv", "config/x.yaml")
    (study / ".snakemake/locks").mkdir()
    (study / ".snakemake/locks/0.input.lock").touch()
    refuse_changed(study, lambda path: True, "config/x.yaml")
    with pytest.raises(UserError, match=r"a run is going on, or was killed.*--unlock"):
        refuse_unfinished(study, "config/x.yaml", "push")


def test_long_names_are_found_in_their_folders(tmp_path):
    finish(tmp_path, LONG, "text")
    assert maker(tmp_path, LONG).rule == "made"
    mark = note(tmp_path, "incomplete", LONG)
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert unfinished(tmp_path) == [LONG]


def test_an_unreadable_record_is_named(study):
    (study / NAME).write_text("{")
    with pytest.raises(UserError, match=r"checksums\.json: unreadable"):
        faults(study)


def test_only_times_in_the_future_are_settled(tmp_path):
    old, ahead, gone = (tmp_path / name for name in ("old", "ahead", "gone"))
    for path, seconds in ((old, -100), (ahead, 5000)):
        path.write_text("x")
        os.utime(path, (time.time() + seconds,) * 2)
    before = old.stat().st_mtime
    assert settle_clocks([old, ahead, gone]) == [ahead]
    assert old.stat().st_mtime == before
    assert ahead.stat().st_mtime <= time.time()

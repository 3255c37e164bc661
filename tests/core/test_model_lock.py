"""Locks of model tables: read, written, and held against the table."""

from datetime import date

import pytest

from paraspec.core.errors import UserError
from paraspec.core.model_lock import (
    Locked,
    lock_path,
    locked_commit,
    read_lock,
    write_lock,
)
from paraspec.core.model_table import ModelRow

COMMIT = "0123456789abcdef" * 2 + "01234567"


def locked(**changes):
    values = {
        "model": "m",
        "repository": "owner/name",
        "revision": "main",
        "commit": COMMIT,
        "resolved": date(2025, 1, 2),
    }
    return Locked(**values | changes)


def published(**changes):
    values = {"model": "m", "source": "hub:owner/name", "revision": "main"}
    return ModelRow(family="f", **values | changes)


@pytest.fixture
def models(tmp_path):
    return tmp_path / "paper.tsv"


def test_a_written_lock_reads_back(models):
    rows = [locked(), locked(model="b", revision="v1", commit="f" * 40)]
    write_lock(models, rows)
    assert lock_path(models).name == "paper.lock.tsv"
    assert list(read_lock(models).values()) == rows
    assert locked_commit(models, published()) == COMMIT


def test_no_lock_is_an_empty_one_but_pins_nothing(models):
    assert read_lock(models) == {}
    with pytest.raises(UserError, match="no commit is locked for model 'm'") as error:
        locked_commit(models, published())
    assert error.value.where == str(lock_path(models))
    assert error.value.remedy == f"Run `paraspec resolve --models {models}`"


@pytest.mark.parametrize("changes", [{"revision": "v2"}, {"source": "hub:owner/other"}])
def test_a_lock_on_something_else_than_the_table_s_is_refused(models, changes):
    write_lock(models, [locked()])
    with pytest.raises(UserError, match="is locked as owner/name at main, but"):
        locked_commit(models, published(**changes))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (COMMIT, COMMIT[:-1], "commit: String should match"),
        (COMMIT, "main", "commit: String should match"),
        ("2025-01-02", "soon", "resolved: "),
        ("\towner/name", "", "Field required"),
        ("m\towner", "<<<<<<< HEAD\nm\towner", "row 1: "),
    ],
)
def test_a_lock_that_was_damaged_says_where(models, old, new, fault):
    write_lock(models, [locked()])
    path = lock_path(models)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=fault) as error:
        read_lock(models)
    assert "row 1" in error.value.fault
    assert "\n" not in str(error.value)

import hashlib

import pytest

from paraspec.core.errors import UserError
from paraspec.core.files import (
    atomic_path,
    existing,
    sha256_of,
    sha256_text,
    write_text,
)


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with pytest.raises(ArithmeticError), atomic_path(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        raise ArithmeticError
    assert list(path.parent.iterdir()) == []
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
    with atomic_path(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(FileNotFoundError), atomic_path(path):
        pass
    assert path.read_text() == "old"


def test_hashes_are_those_of_hashlib(tmp_path):
    path = tmp_path / "a"
    path.write_bytes("ä".encode())
    expected = hashlib.sha256("ä".encode()).hexdigest()
    assert sha256_of(path) == sha256_text("ä") == expected


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(UserError) as error:
        existing(tmp_path, "Run the step")
    assert str(error.value) == f"{tmp_path}: no such file. Run the step"

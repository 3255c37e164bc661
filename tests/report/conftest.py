"""A small made-up study with its tables, figures and page, made once."""

import shutil

import pytest
from tests import made_up

from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables import judged
from paraspec.report.inputs import read_tables


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Results folder with tables, a comparison, benchmarks and figures."""
    return made_up.made_up(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def drawn(root):
    """The study's tables."""
    return read_tables(root)


@pytest.fixture(scope="session")
def html(root):
    return made_up.page_of(root)


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the results folder that a test may damage."""
    target = tmp_path / "made-up"
    keep = shutil.ignore_patterns("masks.parquet", "never_seen.parquet", "model.json")
    shutil.copytree(root, target, ignore=keep)
    return target


@pytest.fixture(scope="session")
def claims(root):
    return read_table(StudyFiles(root).table("claims.csv"), judged.CLAIMS)

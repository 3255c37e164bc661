"""One made-up study for all statistics, written and computed once."""

from pathlib import Path

import pytest
from tests.synthetic import Fake, concepts_table, items_table
from tests.synthetic_study import write_study

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS
from paraspec.stats.claims import read_claims
from paraspec.stats.run import read_study, study_tables

CLAIMS = Path(__file__).parents[2] / "config" / "claims.yaml"
DRAWS = 300
N_CONCEPTS = 18


@pytest.fixture(scope="session")
def items():
    """Items of one model of known effect."""
    fake = Fake("known", "llama", 12_000, accuracy=0.8, damage=0.4)
    return items_table(fake, concepts_table(N_CONCEPTS))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Results folder of the made-up zoo."""
    root = tmp_path_factory.mktemp("study")
    write_study(root, n_concepts=N_CONCEPTS, draws=DRAWS, non_knowledge=True)
    return root


@pytest.fixture(scope="session")
def names(folder):
    return sorted(path.name for path in (folder / "models").iterdir())


@pytest.fixture(scope="session")
def study(folder, names):
    return read_study(folder, names, DRAWS, seed=0)


@pytest.fixture(scope="session")
def found(study):
    """Every table across the made-up models."""
    return study_tables(study, read_claims(CLAIMS), CLAIMS)


@pytest.fixture(scope="session")
def items_of(folder):
    """Read a model's items on concepts again, for computations by another way."""
    files = StudyFiles(folder)

    def read(model):
        items = read_table(files.measure(model, "items.parquet"), ITEMS)
        return items[items["category"] != NON_KNOWLEDGE]

    return read

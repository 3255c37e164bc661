"""One made-up study for all statistics, written and computed once."""

from pathlib import Path

import pytest
from tests.judged import with_verdicts
from tests.synthetic import Fake, concepts_table, items_table
from tests.synthetic_arms import arm_tables, write_arms
from tests.synthetic_study import write_study

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS
from paraspec.stats.causal_runs import tuned_of
from paraspec.stats.run import read_study, read_tuned, study_tables

CLAIMS = Path(__file__).parents[2] / "config" / "claims.yaml"
DRAWS = 300
N_CONCEPTS = 18
TUNED = "llama-128"
"""Model with arms."""


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
    write_arms(root, TUNED, n_concepts=N_CONCEPTS)
    return root


@pytest.fixture(scope="session")
def names(folder):
    return sorted(path.name for path in (folder / "models").iterdir())


@pytest.fixture(scope="session")
def study(folder, names):
    return read_study(folder, names, DRAWS, seed=0)


@pytest.fixture(scope="session")
def computed(study, folder):
    """What is computed across the made-up models."""
    return study_tables(study, read_tuned(StudyFiles(folder), [TUNED]))


@pytest.fixture(scope="session")
def found(computed):
    """Every table across the made-up models."""
    return with_verdicts(computed)


@pytest.fixture(scope="session")
def tables():
    """Tables of the arms of one fine-tuned model: runs, items, answers."""
    return arm_tables("m", n_concepts=N_CONCEPTS)


@pytest.fixture(scope="session")
def tuned(tables):
    return tuned_of("m", *tables)


@pytest.fixture(scope="session")
def items_of(folder):
    """Read a model's items on concepts again, for computations by another way."""
    files = StudyFiles(folder)

    def read(model):
        items = read_table(files.measure(model, "items.parquet"), ITEMS)
        return items[items["category"] != NON_KNOWLEDGE]

    return read

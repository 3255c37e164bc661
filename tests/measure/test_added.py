"""Control concepts of the category non-knowledge leave no trace in others."""

from pathlib import Path

import pytest
import torch

from paraspec.core.config import Asking
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.data.plan_run import run_plan
from paraspec.measure.extract import extract, membership
from paraspec.measure.prepare import added_concepts
from paraspec.measure.prompts import tokenise

FILE = Path("data/non_knowledge.jsonl")


@pytest.fixture
def activations(tmp_path, concept_file, loaded):
    """Extract a tiny model's activations on a study with some files added."""
    pool = concept_file(tmp_path / "pool.jsonl", 2)
    model = loaded("llama")

    def of(name, added):
        files = StudyFiles(tmp_path / name)
        run_plan(pool, added, files.root, 1, 8, (8, 2, 1), 0)
        table = read_table(files.data("prompts.parquet"), PROMPTS)
        sets = read_table(files.data("sets.parquet"), SETS)
        concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
        prompts = tokenise(table, Asking(), model.tokenizer)
        members = membership(sets, added_concepts(concepts))
        return extract(model, list(prompts.values()), members, 64, lambda n: None)

    return of


def test_adding_them_changes_no_activation_of_another(activations):
    alone, together = activations("alone", []), activations("together", [FILE])
    n = len(alone.concepts)
    assert together.concepts[:n] == alone.concepts
    assert together.concepts[n:] == ("number-agreement", "answer-format")
    for name in ("related", "unrelated"):
        both = zip(getattr(alone, name), getattr(together, name), strict=True)
        for before, after in both:
            assert torch.equal(after[:n], before)
            assert after[n:].isfinite().all() and (after[n:] > 0).any()

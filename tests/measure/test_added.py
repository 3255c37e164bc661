"""Added concepts leave no trace in others, and what is known of others is kept."""

import logging
from pathlib import Path

import pytest
import torch
from tests.measure.test_plant import manifest

from paraspec.core.config import Asking, ControlsConfig
from paraspec.core.layout import StudyFiles
from paraspec.data.plan_run import run_plan
from paraspec.measure.activation_files import load_activations, load_statistics
from paraspec.measure.extract_run import run_extract
from paraspec.measure.marks import part_marks
from paraspec.measure.prepare import Planned
from paraspec.measure.ranked import Rankings
from paraspec.measure.score_run import scoring_of

LINES = Path("data/non_knowledge.jsonl").read_text().splitlines(keepends=True)
CONTROLS = ControlsConfig(draws=2)
FILES = (
    *("activations.safetensors", "statistics.safetensors"),
    *("vectors.parquet", "selection.csv", "overlap.csv"),
)


class Folder:
    """A tiny study of nine concepts and some added ones, with a tiny model."""

    def __init__(self, root, pool, model):
        self.files = StudyFiles(root)
        self._pool, self.model = pool, model

    def extract(self, *added, code="code", controls=CONTROLS):
        """Plan and extract with these added concepts."""
        file = self.files.root / "added.jsonl"
        file.write_text("".join(LINES[i] for i in added))
        files = [file] if added else []
        run_plan(self._pool, files, self.files.root, 1, 8, (8, 2, 1), 0)
        how = (Asking(), code, controls)
        run_extract(self.model, manifest("m"), self.files, 64, *how)

    def bytes(self):
        return {name: self.files.measure("m", name).read_bytes() for name in FILES}

    @property
    def activations(self):
        return load_activations(self.files.measure("m", FILES[0]))

    @property
    def statistics(self):
        return load_statistics(self.files.measure("m", FILES[1]))


@pytest.fixture
def folder(tmp_path, concept_file, loaded):
    pool = concept_file(tmp_path / "pool.jsonl", 2)

    def make(name, **changes):
        (tmp_path / name).mkdir()
        return Folder(
            tmp_path / name,
            pool,
            loaded("llama", max_position_embeddings=128, **changes),
        )

    return make


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_further_concept_is_read_alone_and_ends_with_the_bytes_of_a_fresh_run(
    folder, caplog, dtype
):
    more, fresh = folder("more", dtype=dtype), folder("fresh", dtype=dtype)
    more.extract(1)
    with caplog.at_level(logging.INFO, "paraspec.measure"):
        more.extract(0, 1)
    said = [record.getMessage() for record in caplog.records]
    assert "activations of 1 concepts read, of 10 taken over" in said
    assert "statistics of 1 concepts read, of 10 taken over" in said
    fresh.extract(0, 1)
    assert more.bytes() == fresh.bytes()


def test_adding_them_changes_no_number_of_another(folder):
    one = folder("one")
    one.extract()
    before, further = one.activations, one.statistics
    one.extract(0, 1)
    after, statistics = one.activations, one.statistics
    n = len(before.concepts)
    assert after.concepts[:n] == before.concepts
    assert after.concepts[n:] == ("number-agreement", "answer-format")
    for name in ("related", "unrelated"):
        both = zip(getattr(before, name), getattr(after, name), strict=True)
        for alone, together in both:
            assert torch.equal(together[:n], alone)
            assert together[n:].isfinite().all() and (together[n:] > 0).any()
    for name, means in further.means.items():
        both = zip(means.related, statistics.means[name].related, strict=True)
        assert all(torch.equal(together[:n], alone) for alone, together in both), name
    assert len(statistics.n_unrelated) == n + 2


def test_other_code_other_controls_or_a_broken_file_are_not_taken_over(folder, caplog):
    one = folder("one")
    one.extract(0)
    whole = one.bytes()

    def said(**changes):
        caplog.clear()
        with caplog.at_level(logging.INFO, "paraspec.measure"):
            one.extract(0, **changes)
        return [record.getMessage().split(" concepts")[0] for record in caplog.records]

    assert said() == ["activations of 0", "statistics of 0"]
    assert one.bytes() == whole
    assert said(code="other") == ["activations of 10", "statistics of 10"]
    other = ControlsConfig(draws=3)
    assert said(code="other", controls=other) == [
        "activations of 0",
        "statistics of 10",
    ]
    for name in FILES[:2]:
        one.files.measure("m", name).write_bytes(b"no safetensors")
    assert said() == ["activations of 10", "statistics of 10"]
    assert one.bytes() == whole


def test_a_mark_is_of_what_a_concept_depends_on(folder):
    one = folder("one")
    one.extract(0, 1)
    study = Planned.read(one.files)
    prompts = {p.item: p for p in study.prompts(one.model, Asking())}

    def marks(**changed):
        asked = [changed.get(p.item.split(".")[0], p) for p in prompts.values()]
        return part_marks({}, [study.members], asked)

    before = marks()
    assert len({before[c] for c in study.own}) == 1
    own, last = (
        next(p for p in prompts.values() if p.item.startswith(concept))
        for concept in (study.own[0], "answer-format")
    )
    changed = marks(**{study.own[0]: own})
    assert [c for c in before if changed[c] == before[c]] == []
    changed = marks(**{"answer-format": last})
    assert [c for c in before if changed[c] != before[c]] == ["answer-format"]


def test_baselines_of_others_stay_as_they_are(folder):
    one = folder("one")

    def prompts():
        study = Planned.read(one.files)
        rankings = Rankings("m", one.activations)
        facts = (one.model, manifest("m"), study, rankings, Asking("cloze-pmi"))
        return scoring_of(*facts, batch_rows=7).prompts

    one.extract(0)
    before = prompts()
    one.extract(0, 1)
    after = prompts()
    assert len(after) == len(before) + 10
    assert {item: after[item] for item in before} == dict(before)
    assert len({p.offset for p in after.values()}) > 1

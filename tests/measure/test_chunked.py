"""Answers survive interruption, are taken over, and never across different code."""

import logging

import pytest

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure import chunked
from paraspec.measure.chunked import Part, Scoring, score_in_chunks
from paraspec.measure.extract import extract, membership
from paraspec.measure.marks import fingerprint
from paraspec.measure.method import Method
from paraspec.measure.plan import NO_DONORS, Grid, masks_of
from paraspec.measure.prompts import tokenise
from paraspec.measure.ranked import Rankings
from paraspec.measure.score import asked_items
from paraspec.measure.store import ItemStore

SMALL = Grid((0.1,), (0.1,), (), 0.1, 1)
MORE = Grid((0.1, 0.5), (0.1, 0.5), (), 0.1, 1)


class Job:
    """Scoring of a tiny model over nine concepts, three chunks of three."""

    def __init__(self, loaded, files):
        table = read_table(files.data("prompts.parquet"), PROMPTS)
        sets = read_table(files.data("sets.parquet"), SETS)
        prompts = tokenise(table, Asking(), loaded.tokenizer)
        members = membership(sets)
        found = extract(loaded, list(prompts.values()), members, 64, lambda n: None)
        concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
        self.scoring = Scoring(
            *("m", Asking(), loaded, Rankings("m", found), prompts, table, concepts),
            64,
            Method(packed=True),
        )
        self.asked = asked_items(sets)

    def run(self, path, grid=SMALL, code="one", part="1-of-1", parts=()):
        masks = {
            concept: list(masks_of(concept, NO_DONORS, grid)) for concept in self.asked
        }
        marks = dict.fromkeys(masks, fingerprint({"code": code}))
        store = ItemStore(path, marks, parts)
        score_in_chunks(self.scoring, masks, self.asked, store, Part.read(part))


@pytest.fixture(scope="module")
def job(loaded, study):
    return Job(loaded("llama"), study)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(chunked, "CONCEPTS_AT_ONCE", 3)


@pytest.fixture
def counts(caplog):
    """Numbers of answers given and taken over in the last run."""
    caplog.set_level(logging.INFO)

    def read():
        line = next(m for m in reversed(caplog.messages) if "answers given" in m)
        return int(line.split()[0]), int(line.split(", ")[1].split()[0])

    return read


def interrupt_after(monkeypatch, n_chunks):
    write = ItemStore.write

    def stop(self, chunk, frame):
        if chunk == n_chunks:
            raise KeyboardInterrupt
        write(self, chunk, frame)

    monkeypatch.setattr(ItemStore, "write", stop)


def test_an_interrupted_job_goes_on_and_ends_with_the_same_bytes(
    job, tmp_path, counts, monkeypatch
):
    whole, broken = tmp_path / "whole/items.parquet", tmp_path / "broken/items.parquet"
    job.run(whole)
    total, _ = counts()
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            job.run(broken)
    assert not broken.exists()
    job.run(broken)
    given, taken = counts()
    assert given + taken == total and given < taken  # one chunk of three was left
    assert broken.read_bytes() == whole.read_bytes()
    assert [p.name for p in broken.parent.iterdir()] == ["items.parquet"]


def test_more_ratios_answer_only_what_is_new(job, tmp_path, counts):
    path = tmp_path / "items.parquet"
    job.run(path)
    before = read_table(path, ITEMS)
    job.run(path, MORE)
    given, taken = counts()
    after = read_table(path, ITEMS)
    assert taken == len(before)
    assert given == len(after) - len(before) == (after["ratio"] == 0.5).sum() > 0
    kept = after[after["ratio"] != 0.5].reset_index(drop=True)
    assert kept["margin"].tolist() == before["margin"].tolist()
    job.run(path, SMALL)
    assert counts() == (0, len(before))
    assert read_table(path, ITEMS).equals(before)


def test_parts_are_gathered_to_the_bytes_of_one_job(job, tmp_path, counts):
    job.run(tmp_path / "whole.parquet")
    parts = [tmp_path / f"{i}-of-4.parquet" for i in (1, 2, 3, 4)]
    for i, path in enumerate(parts, start=1):
        job.run(path, part=f"{i}-of-4")
    concepts = [set(read_table(path, ITEMS)["concept"]) for path in parts]
    assert list(map(len, concepts)) == [3, 3, 3, 0]
    assert len(set.union(*concepts)) == 9
    job.run(tmp_path / "gathered.parquet", parts=parts)
    assert counts()[0] == 0
    whole, gathered = (tmp_path / f"{x}.parquet" for x in ("whole", "gathered"))
    assert gathered.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("text", ["3-of-2", "0-of-2", "1", "a-of-b"])
def test_a_part_that_is_none_is_an_error(text):
    with pytest.raises(UserError, match="2-of-8"):
        Part.read(text)


def test_answers_of_other_code_or_inputs_are_given_anew(job, tmp_path, counts):
    path = tmp_path / "items.parquet"
    job.run(path)
    job.run(path, code="two")
    given, taken = counts()
    assert taken == 0 and given == len(read_table(path, ITEMS))


def test_the_fingerprint_depends_on_every_part():
    base = {"weights": {"a": "1"}, "run": ["cloze", "float32"]}
    assert fingerprint(base) == fingerprint(dict(reversed(base.items())))
    assert fingerprint(base) != fingerprint(base | {"run": ["cloze", "bfloat16"]})
    assert fingerprint(base) != fingerprint(base | {"weights": {"a": "2"}})

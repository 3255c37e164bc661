"""A study's data files from a concept file."""

import pandas as pd
import pytest

from paraspec.data.plan_run import run_plan


@pytest.fixture
def planned(tmp_path, factbook_text):
    file = tmp_path / "factbook.jsonl"
    file.write_text(factbook_text, encoding="utf-8")

    def run(name, *, added=(), trained=True):
        run_plan(file, added, tmp_path / name, 1, 4, (8, 2, 1), 0, trained=trained)
        return pd.read_parquet(tmp_path / name / "data/prompts.parquet")

    return run


def test_the_floor_knows_what_models_are_trained_on_or_else_the_whole_file(planned):
    trained, untrained = planned("a"), planned("b", trained=False)
    assert trained["item"].tolist() == untrained["item"].tolist()
    # Of nine concepts an answer that occurs is nearly always the concept's own.
    assert trained["floor"].mean() > 0.8
    assert untrained["floor"].mean() < 0.5


def test_an_added_concept_changes_no_row_of_another(planned, made_up, tmp_path):
    more = tmp_path / "more.jsonl"
    added = made_up(1)[:1]
    more.write_text("".join(c.model_dump_json() + "\n" for c in added))
    alone, together = planned("a"), planned("b", added=[more])
    assert len(together) == len(alone) + 10
    same = together.iloc[: len(alone)].astype(alone.dtypes)
    pd.testing.assert_frame_equal(same, alone)

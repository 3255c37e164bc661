from pathlib import Path

import pandas as pd
import pytest

from paraspec.cli.schemas import schemas
from paraspec.core.errors import UserError
from paraspec.core.table import DTYPES, Column, Table, checked, read_table, write_table
from paraspec.core.tables.catalog import TABLES, reference
from paraspec.core.tables.measured import ITEMS

BASE = Path(__file__).parents[2]
TABLE = Table(
    "small",
    (
        Column("name", "text", "A name."),
        Column("kind", "category", "A kind."),
        Column("n", "integer", "A count."),
        Column("value", "number", "A value."),
        Column("flag", "flag", "A flag."),
    ),
)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "value": [0.5, float("nan")],
            "name": ["a", ""],
            "kind": ["-", "b"],
            "n": [1, 2],
            "flag": [True, False],
        }
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_table_describes_each_column_once(table):
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.kind in DTYPES
        assert column.meaning.endswith(".")


def test_the_committed_reference_is_the_one_that_the_code_gives():
    committed = (BASE / "docs/tables.md").read_text(encoding="utf-8")
    assert committed == reference(), "run paraspec schemas"


def test_the_committed_schemas_are_those_that_the_code_gives(tmp_path):
    schemas(tmp_path, tmp_path / "tables.md")
    written = sorted(tmp_path.glob("*.json"))
    assert len(written) == len(list((BASE / "workflow/schemas").glob("*.json"))) > 0
    for path in written:
        committed = (BASE / "workflow/schemas" / path.name).read_text(encoding="utf-8")
        assert committed == path.read_text(encoding="utf-8"), "run paraspec schemas"


def test_items_table_has_the_columns_that_were_decided():
    decided = [
        "model",
        "concept",
        "item",
        "item_concept",
        "relation",
        "category",
        "tier",
        "item_tier",
        "exposure",
        "set",
        "half",
        "scorer",
        "prompt_hash",
        "option_order",
        "selector",
        "mask",
        "ablation",
        "draw",
        "donor",
        "ratio",
        "k",
        "correct",
        "parsed",
        "margin",
        "gold_logprob",
        "predicted",
        "chance",
        "floor",
    ]
    assert set(decided) <= set(ITEMS.names)


def test_checked_orders_columns_and_sets_types(frame):
    found = checked(frame, TABLE)
    assert list(found) == TABLE.names
    assert [str(t) for t in found.dtypes] == [
        "str",
        "category",
        "int64",
        "float64",
        "bool",
    ]


def test_missing_and_extra_columns_are_named(frame):
    wrong = frame.rename(columns={"n": "count"})
    with pytest.raises(
        ValueError, match=r"small: missing \['n'\], unexpected \['count'"
    ):
        checked(wrong, TABLE)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_table_comes_back_as_it_was_written(frame, ending, tmp_path):
    path = tmp_path / f"small.{ending}"
    write_table(frame, TABLE, path)
    pd.testing.assert_frame_equal(read_table(path, TABLE), checked(frame, TABLE))
    assert list(tmp_path.iterdir()) == [path]


def test_a_wrong_frame_leaves_no_file(frame, tmp_path):
    with pytest.raises(ValueError, match="missing"):
        write_table(frame.drop(columns="n"), TABLE, tmp_path / "small.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_table_names_the_step(tmp_path):
    with pytest.raises(UserError, match="Run the step that writes the small table"):
        read_table(tmp_path / "small.csv", TABLE)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_another_table_in_the_file_is_a_user_error(frame, ending, tmp_path):
    path = tmp_path / f"small.{ending}"
    write_table(frame, TABLE, path)
    with pytest.raises(UserError) as error:
        read_table(path, ITEMS)
    assert error.value.where == str(path)
    assert "missing" in error.value.fault
    assert "run again" in error.value.remedy


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("content", [b"", b"not a table", b"name,n\n\xff,1\n"])
def test_a_damaged_file_is_a_user_error(ending, content, tmp_path):
    path = tmp_path / f"small.{ending}"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_table(path, TABLE)
    assert error.value.where == str(path)

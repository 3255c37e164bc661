import pandas as pd
import pytest
from tests.stats.conftest import CLAIMS

from paraspec.core.errors import UserError
from paraspec.core.table import checked
from paraspec.core.tables.catalog import TABLES
from paraspec.core.tables.judged import VERIFY
from paraspec.stats.verify import compared, read_rules, summary

RULES_TEXT = """
tables:
  claims:
    key: [id]
    columns:
      verdict: {tolerance: 0, reason: the conclusion}
  models:
    key: [family, model]
    columns:
      accuracy: {tolerance: 0.1, reason: noise}
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "verify.yaml"
    path.write_text(RULES_TEXT)
    return read_rules(path)


def frames(verdict="partly", accuracy="0.5"):
    claims = pd.DataFrame({"id": ["one"], "verdict": [verdict]})
    models = pd.DataFrame({"family": ["f"], "model": ["m"], "accuracy": [accuracy]})
    return {"claims": claims, "models": models}


@pytest.mark.parametrize(
    ("fresh", "within", "words"),
    [
        (frames(), True, "claim one: partly (as in the reference)"),
        (frames(accuracy="0.6"), True, "models: 1 of 1"),
        (
            frames(accuracy="0.61"),
            False,
            "f/m accuracy: 0.61 against 0.5, tolerance 0.1",
        ),
        (frames(accuracy=""), False, "f/m accuracy: undefined on one side"),
        (frames(verdict="not"), False, "claim one: not; the reference: partly"),
        (frames() | {"models": None}, False, "no such table in this run"),
    ],
)
def test_differences_are_told(rules, fresh, within, words):
    found = compared(rules, fresh, frames())
    told = summary(checked(found, VERIFY))
    assert told.same is within
    assert words in "\n".join(told.lines)


INTERVAL_TEXT = """
tables:
  models:
    key: [model]
    columns:
      accuracy: {tolerance: 0.1, interval: true, reason: its interval}
"""


@pytest.mark.parametrize(
    ("fresh", "low", "high", "within", "words"),
    [
        ("0.75", "0.4", "0.8", True, "1 of 1"),
        ("0.35", "0.4", "0.8", False, "0.35, outside the reference's 0.4 to 0.8"),
        ("", "0.4", "0.8", False, "undefined on one side"),
        ("0.58", "", "", True, "1 of 1"),
        ("0.75", "", "", False, "0.75 against 0.5, tolerance 0.1"),
        ("0.75", "0.6", "0.8", False, "tolerance 0.1"),  # a range of another kind
        ("0.5", "0.6", "0.8", True, "1 of 1"),
    ],
)
def test_an_estimate_may_move_within_the_reference_s_interval(
    tmp_path, fresh, low, high, within, words
):
    path = tmp_path / "rules.yaml"
    path.write_text(INTERVAL_TEXT)
    old = {"model": ["m"], "accuracy": ["0.5"]}
    ends = {"accuracy_low": [low], "accuracy_high": [high]}
    new = pd.DataFrame(old | {"accuracy": [fresh]})
    reference = pd.DataFrame(old | ends)
    told = summary(compared(read_rules(path), {"models": new}, {"models": reference}))
    assert told.same is within
    assert words in "\n".join(told.lines)


def test_both_undefined_is_the_same(rules):
    undefined = frames(accuracy="")
    assert summary(compared(rules, undefined, undefined)).same


def test_a_missing_reference_is_a_row_that_says_so(rules):
    found = compared(rules, frames(), {})
    assert found["reason"].tolist() == ["no such table in the reference"] * 2
    assert not summary(found).same


def test_rows_of_one_side_are_told(rules):
    more = frames()
    more["claims"] = pd.DataFrame({"id": ["one", "two"], "verdict": ["partly"] * 2})
    added, lost = compared(rules, more, frames()), compared(rules, frames(), more)
    assert added.iloc[1]["reason"] == "no such row in the reference"
    assert lost.iloc[1]["reason"] == "no such row in this run"
    assert lost.iloc[1]["key"] == "two"


def test_a_missing_column_and_twice_the_same_key_are_told(rules):
    bare = frames()
    bare["models"] = bare["models"].drop(columns="accuracy")
    assert "no column accuracy" in compared(rules, bare, frames()).iloc[1]["reason"]
    twice = frames()
    twice["models"] = pd.concat([twice["models"]] * 2)
    assert "same key" in compared(rules, twice, frames()).iloc[1]["reason"]


def test_many_differences_are_cut_short(rules):
    names = [f"m{i}" for i in range(14)]
    new, old = (
        frames()
        | {
            "models": pd.DataFrame(
                {"family": "f", "model": names, "accuracy": value}, dtype=str
            )
        }
        for value in ("0.1", "0.9")
    )
    lines = summary(compared(rules, new, old)).lines
    assert lines[-1] == "... and 4 more in verify.csv"


def test_the_committed_tolerances_name_real_columns():
    known = {t.name: t for t in TABLES}
    for name, rule in read_rules(CLAIMS.with_name("verify.yaml")).items():
        assert {*rule.key, *rule.columns} <= set(known[name].names)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("tables: {}", "tables"),
        ("tables: {a: {key: [id]}}", "tables.a.columns"),
        ("tables: {a: {key: [id], columns: {x: {tolerance: -1, reason: r}}}}", "x.tol"),
        ("tables: {a: {key: [id], columns: {x: {tolerance: 1}}}}", "x.reason"),
        ("tables: [", "not YAML"),
        ("", "top level"),
    ],
)
def test_bad_tolerances_name_file_and_key(tmp_path, text, part):
    path = tmp_path / "verify.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_rules(path)
    assert "verify.yaml" in str(caught.value)
    assert part in str(caught.value)

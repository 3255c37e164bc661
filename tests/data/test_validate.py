"""Concept files: good ones are read, bad ones are told everything that is wrong."""

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraspec.core.errors import UserError
from paraspec.data.validate import (
    FACTBOOK,
    USER_FILE,
    ConceptFileError,
    Rules,
    read_concepts,
)

VERBS = ("is found in", "lies in", "stands in", "has its home in", "belongs to")


def question(relation, options, half):
    return {
        "item": f"bluebird.{relation}",
        "relation": relation,
        "question": f"What is the {relation} of the Bluebird?",
        "options": list(options),
        "gold": 0,
        "statements": [f"The {relation} of the Bluebird {verb}" for verb in VERBS],
        "half": half,
    }


def concept():
    return {
        "concept": "bluebird",
        "name": "Bluebird",
        "category": "bird",
        "tier": "low",
        "zipf": 2.5,
        "questions": [
            question("home", ("oak", "elm", "ash"), "A"),
            question("food", ("worms", "seeds"), "B"),
        ],
    }


def write(path, *concepts):
    lines = [c if isinstance(c, str) else json.dumps(c) for c in concepts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "mine.jsonl"


def faults(path, rules=USER_FILE):
    with pytest.raises(ConceptFileError) as caught:
        read_concepts(path, rules)
    return caught.value.faults


def one_fault(path, rules=USER_FILE):
    found = faults(path, rules)
    assert len(found) == 1, [str(f) for f in found]
    return found[0]


def test_a_users_file_of_any_category_is_read(file):
    read = read_concepts(write(file, concept()))
    assert [c.name for c in read] == ["Bluebird"]
    assert read[0].questions[1].options == ("worms", "seeds")


def test_blank_lines_and_a_byte_order_mark_are_accepted(file):
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(concept()).encode() + b"\n\n")
    assert len(read_concepts(file)) == 1


def test_a_missing_file_is_named(file):
    with pytest.raises(UserError, match="no such file"):
        read_concepts(file)


def test_an_empty_file_is_a_fault(file):
    file.write_text("\n")
    assert "empty" in one_fault(file).fault


def test_a_message_names_file_line_field_fault_and_remedy(file):
    bad = concept()
    bad["tier"] = "middling"
    with pytest.raises(ConceptFileError) as caught:
        read_concepts(write(file, concept() | {"concept": "other"}, bad))
    message = str(caught.value)
    assert str(file) in message
    assert "line 2: tier: is \"middling\". Use 'high', 'mid' or 'low'." in message


# Each case: what to change, the field that is named, and words of the fault or remedy.
def put(*path_and_value):
    *path, key, value = path_and_value

    def change(data):
        for step in path:
            data = data[step]
        data[key] = value

    return change


def drop(*path):
    *path, key = path

    def change(data):
        for step in path:
            data = data[step]
        del data[key]

    return change


Q = ("questions", 0)
BAD = {
    "missing field": (drop("name"), "name", "is missing"),
    "missing field of a question": (drop(*Q, "gold"), "questions[0].gold", "missing"),
    "unknown field": (put("colour", "blue"), "colour", "not a known field"),
    "wrong type": (put("name", 7), "name", "is 7. Use text"),
    "number as text": (put("zipf", "many"), "zipf", "Use a number"),
    "negative frequency": (put("zipf", -1), "zipf", "Use 0.0 or more"),
    "id with capitals": (put("concept", "Blue Bird"), "concept", "lower-case"),
    "empty name": (put("name", ""), "name", "is empty"),
    "unknown half": (put(*Q, "half", "C"), "questions[0].half", "Use 'A' or 'B'"),
    "text for a list": (put(*Q, "options", "oak"), "questions[0].options", "a list"),
    "fractional gold": (put(*Q, "gold", 0.5), "questions[0].gold", "whole number"),
    "negative gold": (put(*Q, "gold", -1), "questions[0].gold", "Use 0 or more"),
    "gold out of range": (put(*Q, "gold", 3), "questions[0].gold", "there are 3"),
    "not a list of objects": (put("questions", [3, 4]), "questions[0]", "JSON object"),
    "item misnamed": (put(*Q, "item", "x.home"), "questions[0].item", "bluebird.home"),
    "one option": (put(*Q, "options", ["oak"]), "questions[0].options", "there are 1"),
    "eleven options": (
        put(*Q, "options", [f"tree {k}" for k in range(11)]),
        "questions[0].options",
        "there are 11",
    ),
    "doubled option": (
        put(*Q, "options", ["oak", "elm", "Oak"]),
        "questions[0].options",
        "occurs 2 times",
    ),
    "empty option": (
        put(*Q, "options", ["oak", " "]),
        "questions[0].options",
        "one is empty",
    ),
    "give-away": (
        put(*Q, "options", ["bluebell", "elm"]),
        "questions[0].options",
        "can be guessed",
    ),
    "question without the name": (
        put(*Q, "question", "Where does it live?"),
        "questions[0].question",
        "does not name",
    ),
    "statement without the name": (
        put(*Q, "statements", 2, "It lives in the"),
        "questions[0].statements[2]",
        "does not name",
    ),
    "statement with the answer": (
        put(*Q, "statements", 1, "The Bluebird lives in an Oak, the"),
        "questions[0].statements[1]",
        "contains the answer",
    ),
    "too few statements": (
        put(*Q, "statements", ["The Bluebird lives in the"] * 5),
        "questions[0].statements",
        "1 different",
    ),
    "all in one half": (
        put("questions", 1, "half", "A"),
        "questions",
        "none in half B",
    ),
    "one question": (drop("questions", 1), "questions", "there are 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_fault_is_told_in_plain_words(file, case):
    change, field, words = BAD[case]
    bad = concept()
    change(bad)
    found = faults(write(file, bad))
    told = {fault.field: str(fault) for fault in found}
    assert field in told, told
    assert any(words in str(f) for f in found if f.field == field), told
    assert all(fault.line == 1 and fault.remedy for fault in found)


def test_a_relation_asked_twice_is_a_fault(file):
    bad = concept()
    bad["questions"].append(deepcopy(bad["questions"][0]))
    assert "asked 2 times" in one_fault(write(file, bad)).fault


def test_a_repeated_concept_names_the_first_line(file):
    fault = one_fault(write(file, concept(), concept()))
    assert (fault.line, fault.field) == (2, "concept")
    assert "line 1" in fault.fault


def test_a_broken_line_tells_the_column(file):
    fault = one_fault(write(file, concept(), '{"concept": '))
    assert fault.line == 2
    assert "column 13" in fault.fault


def test_bytes_that_are_not_utf8_are_told(file):
    file.write_bytes(json.dumps(concept()).encode() + b"\n{\xff}\n")
    assert "not UTF-8" in one_fault(file).fault


def test_a_line_that_is_no_object_is_told(file):
    assert "JSON object" in one_fault(write(file, "[1, 2]")).remedy


def test_all_faults_are_told_at_once(file):
    first, second = concept(), concept()
    first["tier"] = "top"
    del first["zipf"]
    second["questions"][0]["gold"] = 9
    found = faults(write(file, first, second, "nonsense"))
    assert [fault.line for fault in found] == [1, 1, 2, 3]


def test_the_factbook_has_stricter_rules(file):
    fields = {str(fault) for fault in faults(write(file, concept()), FACTBOOK)}
    assert any("exactly 10" in text for text in fields)
    assert any("exactly 4" in text for text in fields)


def test_unequal_halves_are_a_fault_of_the_factbook_only(file):
    more = concept()
    more["questions"].append(question("song", ("trill", "caw"), "B"))
    path = write(file, more)
    assert read_concepts(path)
    rules = Rules(options=(2, 10), questions=(2, 10), equal_halves=True)
    assert "1 in half A and 2 in half B" in one_fault(path, rules).fault


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(concept())), JSON)
def test_any_value_is_read_or_told_but_never_crashes(tmp_path_factory, field, value):
    path = tmp_path_factory.mktemp("any") / "any.jsonl"
    try:
        assert len(read_concepts(write(path, concept() | {field: value}))) == 1
    except ConceptFileError as error:
        assert error.faults
        assert all(fault.line == 1 for fault in error.faults)

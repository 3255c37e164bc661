"""Read a concept file, or say everything that is wrong with it.

Start at :func:`read_concepts`. Every fault is collected before anything is raised, so
that a file can be mended in one go; each names its line, field, fault and remedy.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.core.errors import UserError
from paraspec.core.files import existing
from paraspec.data.factbook.giveaway import fold, gives_away
from paraspec.data.format import Concept, Half, Question

FEWEST_STATEMENTS = 5
"""Wordings per fact: one is held out of training, four are trained on."""


@dataclass(frozen=True)
class Rules:
    """How many questions, relations and options a concept file may have."""

    options: tuple[int, int]
    """Fewest and most options per question."""
    questions: tuple[int, int]
    """Fewest and most questions per concept, each of another relation."""
    equal_halves: bool
    """Whether halves A and B must be equally large, or merely not empty."""


USER_FILE = Rules(options=(2, 10), questions=(2, 1000), equal_halves=False)
"""What any concept file must keep to."""

FACTBOOK = Rules(options=(4, 4), questions=(10, 10), equal_halves=True)
"""What the project's own factbook keeps to."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a concept file."""

    line: int
    field: str
    """E.g. ``questions[2].options``; empty where the whole line is at fault."""
    fault: str
    remedy: str

    def __str__(self) -> str:
        field = f" {self.field}:" if self.field else ""
        return f"line {self.line}:{field} {self.fault}. {self.remedy}"


class ConceptFileError(UserError):
    """A concept file with faults: one line of the message for each."""

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [f"{path}: {fault}" for fault in faults]
        super().__init__(path, f"{len(faults)} fault(s)", "Mend them and try again.")
        self.args = ("\n".join(lines),)


@dataclass(frozen=True)
class _Part:
    """A fault that does not know its line yet."""

    field: str
    fault: str
    remedy: str


def read_concepts(path: Path | str, rules: Rules = USER_FILE) -> tuple[Concept, ...]:
    """Read and check a concept file.

    Parameters
    ----------
    path
        JSON lines, one concept each.
    rules
        What the file must keep to: any user's file, or the factbook.

    Returns
    -------
    The concepts in file order.

    Raises
    ------
    UserError
        If the file is missing, or (as :class:`ConceptFileError`) has any fault.
    """
    found = existing(path, "Name a concept file in JSON lines.")
    faults: list[Fault] = []
    concepts: list[tuple[int, Concept]] = []
    for number, line in _lines(found, faults):
        parsed = _parse(line)
        if isinstance(parsed, Concept):
            concepts.append((number, parsed))
            parsed = list(_concept_faults(parsed, rules))
        faults += [Fault(number, p.field, p.fault, p.remedy) for p in parsed]
    faults += _repeated(concepts)
    if not concepts and not faults:
        faults.append(Fault(1, "", "the file is empty", "Write one concept per line."))
    if faults:
        raise ConceptFileError(found, sorted(faults, key=lambda fault: fault.line))
    return tuple(concept for _, concept in concepts)


def _lines(path: Path, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            at = f"byte {error.start + 1} is not UTF-8"
            faults.append(Fault(number, "", at, "Save the file as UTF-8."))
            continue
        if line.strip():
            yield number, line


def _parse(line: str) -> Concept | list[_Part]:
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        fault = f"not valid JSON at column {error.colno} ({error.msg.lower()})"
        return [_Part("", fault, "Write one complete JSON object per line.")]
    try:
        return Concept.model_validate(content)
    except ValidationError as error:
        return [_in_plain_words(one) for one in error.errors(include_url=False)]


def _in_plain_words(error: Mapping[str, Any]) -> _Part:
    field = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]
    ).lstrip(".")
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "missing":
        return _Part(field, "is missing", "Add it.")
    if kind == "extra_forbidden":
        return _Part(field, "is not a known field", "Remove it or correct its name.")
    value = f"is {_short(error['input'])}"
    if kind == "literal_error":
        return _Part(field, value, f"Use {context['expected']}.")
    if kind == "string_pattern_mismatch":
        return _Part(
            field, value, "Use lower-case letters, digits and single hyphens only."
        )
    if kind == "string_too_short":
        return _Part(field, "is empty", "Write at least one character.")
    if kind == "greater_than_equal":
        return _Part(field, value, f"Use {context['ge']} or more.")
    return _Part(field, value, f"Use {EXPECTED.get(kind, error['msg'].lower())}.")


EXPECTED = {
    "string_type": "text",
    "tuple_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "a JSON object with the fields of the format",
    "finite_number": "a finite number",
}
"""What pydantic's kinds of type error ask for."""


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _repeated(concepts: Sequence[tuple[int, Concept]]) -> list[Fault]:
    first: dict[str, int] = {}
    faults: list[Fault] = []
    for number, concept in concepts:
        line = first.setdefault(concept.concept, number)
        if line != number:
            fault = f"{_short(concept.concept)} already stands in line {line}"
            faults.append(Fault(number, "concept", fault, "Give it another name."))
    return faults


def _concept_faults(concept: Concept, rules: Rules) -> Iterator[_Part]:
    yield from _count_faults(concept, rules)
    yield from _half_faults(concept, rules)
    for index, question in enumerate(concept.questions):
        for part in _question_faults(concept, question, rules):
            yield _Part(f"questions[{index}].{part.field}", part.fault, part.remedy)


def _count_faults(concept: Concept, rules: Rules) -> Iterator[_Part]:
    fewest, most = rules.questions
    n = len(concept.questions)
    if not fewest <= n <= most:
        wanted = f"exactly {fewest}" if fewest == most else f"{fewest} to {most}"
        yield _Part("questions", f"there are {n}", f"Write {wanted}.")
    times = Counter(question.relation for question in concept.questions)
    for relation, count in times.items():
        if count > 1:
            fault = f"relation {_short(relation)} is asked {count} times"
            yield _Part("questions", fault, "Ask each relation once per concept.")


def _half_faults(concept: Concept, rules: Rules) -> Iterator[_Part]:
    times = Counter(question.half for question in concept.questions)
    a, b = (times[half] for half in get_args(Half))
    if rules.equal_halves and a != b:
        yield _Part("questions", f"{a} in half A and {b} in half B", "Make them equal.")
    elif not (a and b):
        empty = "B" if a else "A"
        yield _Part("questions", f"none in half {empty}", "Put some in each half.")


def _question_faults(
    concept: Concept, question: Question, rules: Rules
) -> Iterator[_Part]:
    item = f"{concept.concept}.{question.relation}"
    if question.item != item:
        yield _Part("item", f"is {_short(question.item)}", f'Use "{item}".')
    if not _named(concept, question.question):
        fault = f"does not name {_short(concept.name)}"
        yield _Part("question", fault, "Put the concept's name into it.")
    yield from _option_faults(question, rules)
    if question.gold >= len(question.options):
        fault = f"is {question.gold}, but there are {len(question.options)} options"
        yield _Part("gold", fault, "Count options from 0.")
        return
    answer = question.options[question.gold]
    if hint := gives_away(answer, concept.name):
        fault = f"{_short(answer)} can be guessed: {hint}"
        yield _Part("options", fault, "Ask another relation.")
    yield from _statement_faults(concept, question, answer)


def _named(concept: Concept, text: str) -> bool:
    """Whether a text names its concept.

    Of the category `non-knowledge` it need not: such a concept is a habit of language,
    which sentences show and do not mention.
    """
    if concept.category == NON_KNOWLEDGE:
        return True
    return fold(concept.name) in fold(text)


def _option_faults(question: Question, rules: Rules) -> Iterator[_Part]:
    fewest, most = rules.options
    n = len(question.options)
    if not fewest <= n <= most:
        wanted = f"exactly {fewest}" if fewest == most else f"{fewest} to {most}"
        yield _Part("options", f"there are {n}", f"Give {wanted}.")
    times = Counter(option.strip().casefold() for option in question.options)
    for option, count in times.items():
        if not option:
            yield _Part("options", "one is empty", "Write an answer.")
        elif count > 1:
            fault = f"{_short(option)} occurs {count} times, apart from case"
            yield _Part("options", fault, "Make all options different.")


def _statement_faults(
    concept: Concept, question: Question, answer: str
) -> Iterator[_Part]:
    n = len({fold(statement).strip() for statement in question.statements})
    if n < FEWEST_STATEMENTS:
        fault = f"there are {n} different ones"
        yield _Part("statements", fault, f"Write at least {FEWEST_STATEMENTS}.")
    word = re.compile(rf"(?<!\w){re.escape(fold(answer))}(?!\w)")
    for index, statement in enumerate(question.statements):
        field = f"statements[{index}]"
        if not _named(concept, statement):
            fault = f"does not name {_short(concept.name)}"
            yield _Part(field, fault, "Put the concept's name into it.")
        if answer.strip() and word.search(fold(statement)):
            fault = f"contains the answer {_short(answer)}"
            yield _Part(field, fault, "End it just before the answer.")

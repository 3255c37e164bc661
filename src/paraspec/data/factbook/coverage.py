"""The coverage table: what became of each relation of each candidate concept."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from paraspec.data.factbook.facts import Relation
from paraspec.data.factbook.plan import Category, Plan
from paraspec.data.factbook.usable import Usable

ASKED, LEFT_OUT = "asked", "left out"


@dataclass(frozen=True)
class Row:
    """One line of the coverage table."""

    concept: str
    """The concept's name."""
    category: str
    tier: str
    """Its tier; ``-`` for a candidate that was not chosen."""
    relation: str
    status: str
    """``asked`` or ``left out``."""
    reason: str
    """Why the relation was left out; ``-`` where it is asked."""


def coverage(category: Category, plan: Plan) -> list[Row]:
    """List every candidate and relation of a category, sorted."""
    rows = [
        row
        for candidate in (*plan.concepts, *plan.left_over)
        for relation in category.relations
        for row in [_row(category, plan, candidate, relation)]
    ]
    return sorted(rows, key=lambda row: (row.concept, row.relation))


def _row(category: Category, plan: Plan, candidate: Usable, relation: Relation) -> Row:
    name = candidate.entity.name
    asked = relation.name in plan.asked.get(name, ())
    return Row(
        concept=name,
        category=category.name,
        tier=plan.tier_of.get(name, "-"),
        relation=relation.name,
        status=ASKED if asked else LEFT_OUT,
        reason="-" if asked else _reason(category, plan, candidate, relation),
    )


def _reason(
    category: Category, plan: Plan, candidate: Usable, relation: Relation
) -> str:
    name = candidate.entity.name
    if reason := candidate.reasons.get(relation.name):
        return reason
    if name not in plan.tier_of:
        return "another concept was chosen"
    group_of = {r.name: r.group for r in category.relations}
    answer = candidate.facts[relation.name].answer
    for other in plan.asked[name]:
        if relation.group and group_of[other] == relation.group:
            return f"{other} is asked instead"
        if candidate.facts[other].answer.casefold() == answer.casefold():
            return f"same answer as {other}"
    return "ten others are asked, to keep tiers and answers balanced"


def to_tsv(rows: Iterable[Row]) -> str:
    """Write the table as tab-separated text with a header."""
    text = io.StringIO()
    columns = [column.name for column in fields(Row)]
    writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue()

"""All tables in one list, for the reference in the docs and for tests.

No step imports this module: it would make every step depend on every table.
"""

from paraspec.core.table import Table
from paraspec.core.tables import (
    across_models,
    causal,
    evidence,
    induced,
    judged,
    measured,
    per_model,
    planned,
    training,
)

MODULES = (
    planned,
    training,
    measured,
    per_model,
    causal,
    across_models,
    induced,
    evidence,
    judged,
)

TABLES: tuple[Table, ...] = tuple(
    dict.fromkeys(
        found
        for module in MODULES
        for found in vars(module).values()
        if isinstance(found, Table)
    )
)


def reference() -> str:
    """Reference of every table and column, as Markdown."""
    lines = [
        "# Tables",
        "",
        "Every table that a step writes. Made by `paraspec schemas` from",
        "`src/paraspec/core/tables/`; do not edit.",
    ]
    for found in TABLES:
        lines += ["", f"## {found.name}", ""]
        lines += ["| column | kind | meaning |", "|---|---|---|"]
        lines += [
            f"| `{column.name}` | {column.kind} | {_cell(column.meaning)} |"
            for column in found.columns
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

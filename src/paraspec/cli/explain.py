"""``paraspec explain``: what one model knows of one concept, and where, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from paraspec.cli.options import Model, Results

if TYPE_CHECKING:
    from paraspec.core.layout import StudyFiles

SUGGESTIONS = 5


def explain(
    results: Results,
    model: Model,
    concept: Annotated[
        str, typer.Option("--concept", help="Identifier or name of the concept.")
    ],
) -> None:
    """Tell what a model knows of a concept, what masks do to it, where it lives."""
    from paraspec.cli.explain_story import Chapter, story
    from paraspec.core.layout import StudyFiles
    from paraspec.core.table import read_table
    from paraspec.core.tables.measured import ITEMS, VECTORS
    from paraspec.core.tables.per_model import SELECTION
    from paraspec.core.tables.planned import CONCEPTS, PROMPTS
    from paraspec.stats.record import read_card

    files = StudyFiles(results)
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    names = dict(zip(concepts["concept"], concepts["name"], strict=True))
    measured_model(files, model)
    chapter = Chapter(
        card=read_card(files.model(model, "model.json")),
        concept=found_concept(concept, names),
        concepts=concepts,
        prompts=read_table(files.data("prompts.parquet"), PROMPTS),
        items=read_table(files.measure(model, "items.parquet"), ITEMS),
        vectors=read_table(files.measure(model, "vectors.parquet"), VECTORS),
        selection=read_table(files.measure(model, "selection.csv"), SELECTION),
    )
    for line in story(chapter):
        typer.echo(line)


def found_concept(given: str, names: Mapping[str, str]) -> str:
    """Identifier of the concept that is meant by its identifier or name.

    Raises
    ------
    UserError
        Suggests similar ones.

    >>> found_concept("South korea", {"south-korea": "South Korea"})
    'south-korea'
    """
    spelt = {
        text.casefold(): key for key, name in names.items() for text in (name, key)
    }
    if given.casefold() not in spelt:
        raise unknown("--concept", "concept", given, spelt)
    return spelt[given.casefold()]


def measured_model(files: StudyFiles, model: str) -> None:
    """Check that a model of that name was measured.

    Raises
    ------
    UserError
        Suggests similar ones.
    """
    tables = files.root.glob("measure/*/items.parquet")
    measured = sorted(path.parent.name for path in tables)
    if not measured:
        from paraspec.core.errors import UserError

        remedy = "Give the folder of a study that has run, e.g. results/miniature"
        raise UserError(files.root, "no model was measured here", remedy)
    if model not in measured:
        raise unknown("--model", "measured model", model, dict.fromkeys(measured, ""))


def unknown(option: str, kind: str, given: str, known: Mapping[str, str]) -> Exception:
    """Error that suggests the most similar of the known names."""
    from paraspec.core.errors import UserError, similar

    near = similar(given.casefold(), known, SUGGESTIONS)
    near = list(dict.fromkeys(known[name] or name for name in near))
    some = near or sorted(set(known))[:SUGGESTIONS]
    more = "" if near else f" or another of {len(set(known.values()) or known)}"
    remedy = f"{'Did you mean' if near else 'Choose'} {', '.join(some)}{more}"
    return UserError(option, f"no {kind} {given!r}", remedy + ("?" if near else ""))

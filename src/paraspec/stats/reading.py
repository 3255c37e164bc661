"""From a study's folder to its models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from paraspec.core.definitions import PAPER_SELECTOR, primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow, read_models
from paraspec.core.table import Table, read_table
from paraspec.core.tables.measured import COLLATERAL, ITEMS, MASKS
from paraspec.core.tables.per_model import (
    EFFICIENCY,
    OVERLAP,
    PLANTED,
    PSS,
    SELECTION,
)
from paraspec.core.tables.planned import PROMPTS
from paraspec.stats.answers import answers_of
from paraspec.stats.induced_answers import bits_stored, certainty
from paraspec.stats.items import summed
from paraspec.stats.record import (
    Described,
    Record,
    never_seen_accuracy,
    no_rows,
    published,
    read_card,
)
from paraspec.stats.study import Study, study_of


def read_study(
    results: Path,
    models: Sequence[str],
    draws: int,
    seed: int,
    selector: str = PAPER_SELECTOR,
    table: Path | None = None,
) -> Study:
    """Read every model's measurements.

    Parameters
    ----------
    results
        Folder of the study.
    models
        Models and checkpoints.
    draws, seed
        Of the bootstrap.
    selector
        Ranking whose top mask is reported.
    table
        Model table with release dates and MMLU scores; they are unknown without.

    Raises
    ------
    UserError
        Where a file is missing or is not what it should be.
    """
    files = StudyFiles(results)
    rows = {row.model: row for row in read_models(table)} if table else {}
    derived = _derived(files)
    reader = _Reader(files, rows, derived, selector)
    records = [reader.record(name) for name in dict.fromkeys(models)]
    return study_of(records, draws, seed, selector)


def _derived(files: StudyFiles) -> set[str]:
    """Items whose answer follows from a city's country, if the study has prompts."""
    path = files.data("prompts.parquet")
    if not path.is_file():
        return set()
    prompts = read_table(path, PROMPTS)
    return set(prompts.loc[prompts["country_derived"], "item"])


class _Reader:
    """Reads one model after the other, with what they have in common."""

    def __init__(
        self,
        files: StudyFiles,
        rows: Mapping[str, ModelRow],
        derived: set[str],
        selector: str,
    ) -> None:
        self._files = files
        self._rows = rows
        self._derived = derived
        self._selector = selector

    def record(self, model: str) -> Record:
        """Everything that was measured of a model."""
        card = published(read_card(self._files.model(model, "model.json")), self._rows)
        items = self._table(model, "items.parquet", ITEMS)
        unseen = self._table(model, "never_seen.parquet", ITEMS)
        primary = primary_ratio(card.parameters_total)
        return Record(
            card=card,
            measured=summed(items, self._derived),
            pss=self._table(model, "pss.csv", PSS),
            efficiency=self._table(model, "efficiency.csv", EFFICIENCY),
            never_seen=never_seen_accuracy(unseen),
            masks=self._table(model, "masks.parquet", MASKS),
            answers=answers_of(items, primary, self._selector),
            described=self._described(model),
            bits=bits_stored(items),
            unseen=certainty(unseen),
        )

    def _described(self, model: str) -> Described:
        return Described(
            selection=self._optional(model, "selection.csv", SELECTION),
            overlap=self._optional(model, "overlap.csv", OVERLAP),
            collateral=self._optional(model, "collateral.parquet", COLLATERAL),
            planted=self._optional(model, "planted.csv", PLANTED),
        )

    def _table(self, model: str, name: str, table: Table) -> pd.DataFrame:
        return read_table(self._files.measure(model, name), table)

    def _optional(self, model: str, name: str, table: Table) -> pd.DataFrame:
        """A table that not every model has; without rows where it is missing."""
        if not self._files.measure(model, name).is_file():
            return no_rows(table)
        return self._table(model, name, table)

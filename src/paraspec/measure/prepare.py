"""A study's questions: read as planned, then tokenised for one model and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure.extract import Membership, membership
from paraspec.measure.prompts import Prompt, tokenise
from paraspec.models.load import LoadedModel


@dataclass(frozen=True)
class Planned:
    """What ``paraspec data plan`` wrote, as far as measuring needs it."""

    concepts: pd.DataFrame
    """The ``concepts`` table."""
    table: pd.DataFrame
    """The ``prompts`` table."""
    sets: pd.DataFrame
    """The ``sets`` table."""

    @classmethod
    def read(cls, files: StudyFiles) -> "Planned":
        """Read a study's own data files."""
        return cls(
            read_table(files.data("concepts.parquet"), CONCEPTS),
            read_table(files.data("prompts.parquet"), PROMPTS),
            read_table(files.data("sets.parquet"), SETS),
        )

    @cached_property
    def added(self) -> set[str]:
        """Concepts that are asked only, see :func:`added_concepts`."""
        return added_concepts(self.concepts)

    @property
    def own(self) -> tuple[str, ...]:
        """Concepts of the study, without added ones."""
        return tuple(c for c in self.members.concepts if c not in self.added)

    @cached_property
    def members(self) -> Membership:
        """Which sums each item enters."""
        return membership(self.sets, self.added)

    def prompts(self, loaded: LoadedModel, asking: Asking) -> list[Prompt]:
        """Every item that enters a sum, tokenised; see :func:`prepare`."""
        found = prepare(loaded, self.table, asking)
        return [found[item] for item in self.members.lines_of]


def prepare(
    loaded: LoadedModel, table: pd.DataFrame, asking: Asking
) -> dict[str, Prompt]:
    """Tokenise a prompt table and see that the model can answer it.

    Raises
    ------
    UserError
        Naming the item: if it is longer than the model's context, or cannot be
        tokenised as the scorer needs it.
    """
    prompts = tokenise(table, asking, loaded.tokenizer)
    _check_lengths(prompts, loaded)
    return prompts


def added_concepts(concepts: pd.DataFrame) -> set[str]:
    """Concepts of the planned ``concepts`` table that are asked only: no exposure."""
    return set(concepts.loc[concepts["exposure"] == 0, "concept"])


def _check_lengths(prompts: Mapping[str, Prompt], loaded: LoadedModel) -> None:
    config = loaded.model.config.get_text_config()
    limit = getattr(config, "max_position_embeddings", None)
    for prompt in prompts.values():
        length = len(prompt.prefix) + max(map(len, prompt.options)) - 1
        if limit and length > limit:
            raise UserError(
                f"item {prompt.item}",
                f"{length} tokens are more than the model's context of {limit}",
                "Use fewer shots or shorter questions",
            )

"""Prompts of one model: tokenised, and checked against its context."""

from collections.abc import Mapping

import pandas as pd

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.measure.prompts import Prompt, tokenise
from paraspec.models.load import LoadedModel


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

"""Prompts ready to be answered by one model: tokenised, checked, with baselines."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.measure.prompts import Encoding, Prompt, tokenise
from paraspec.measure.scoring import Masks, answer
from paraspec.measure.wording import scorer_of
from paraspec.models.load import LoadedModel


def prepare(
    loaded: LoadedModel, table: pd.DataFrame, asking: Asking, batch_rows: int
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
    if scorer_of(asking).against_baseline:
        return _with_baseline(loaded, prompts, asking.config.baseline, batch_rows)
    return prompts


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


def _with_baseline(
    loaded: LoadedModel, prompts: Mapping[str, Prompt], baseline: str, batch_rows: int
) -> dict[str, Prompt]:
    """Set each option's offset: its log-likelihood after the baseline, unmasked."""
    prefix = tuple(Encoding(loaded.tokenizer, chat=False).ids(baseline))
    neutral = [replace(p, prefix=prefix, scale=(), shared=0) for p in prompts.values()]
    replies = [
        reply
        for start in range(0, len(neutral), batch_rows)
        for reply in answer(
            loaded, neutral[start : start + batch_rows], Masks([]), packed=False
        )
    ]
    return {
        item: replace(prompt, offset=reply.logprobs)
        for (item, prompt), reply in zip(prompts.items(), replies, strict=True)
    }

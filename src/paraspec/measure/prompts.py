"""Prompts as token ids: the question's tokens, then each option's.

A scorer words an item; this module turns the wording into tokens once per model.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from transformers import PreTrainedTokenizerBase

from paraspec.core.errors import UserError
from paraspec.core.files import sha256_text


@dataclass(frozen=True)
class Worded:
    """An item as text: the prompt, and the options as they continue it."""

    prompt: str
    continuations: tuple[str, ...]


@dataclass(frozen=True)
class Prompt:
    """An item as tokens."""

    item: str
    gold: int
    prompt_hash: str
    prefix: tuple[int, ...]
    """Prompt tokens, with BOS where the tokenizer adds one."""
    counted: tuple[bool, ...]
    """Which prefix tokens count for coefficients: all but special ones."""
    options: tuple[tuple[int, ...], ...]
    """Tokens of each continuation."""


Wording = Callable[[pd.Series], Worded]


def cloze(row: pd.Series) -> Worded:
    """Word an item as a statement to be completed by the option."""
    options = json.loads(row["options"])
    return Worded(row["prefix"], tuple(f" {option}" for option in options))


WORDINGS: Mapping[str, Wording] = {"cloze": cloze}
"""Scorer name to wording: the seam where letters and generation will join."""


def tokenise(
    table: pd.DataFrame, scorer: str, tokenizer: PreTrainedTokenizerBase
) -> dict[str, Prompt]:
    """Tokenise every item of a prompt table as the scorer will ask it."""
    wording = WORDINGS[scorer]
    return {
        row["item"]: _prompt(row, wording(row), tokenizer)
        for _, row in table.iterrows()
    }


def _prompt(
    row: pd.Series, worded: Worded, tokenizer: PreTrainedTokenizerBase
) -> Prompt:
    prefix = _encode(worded.prompt, tokenizer)
    special = set(tokenizer.all_special_ids)
    return Prompt(
        item=row["item"],
        gold=int(row["gold"]),
        prompt_hash=sha256_text(worded.prompt)[:12],
        prefix=tuple(prefix),
        counted=tuple(token not in special for token in prefix),
        options=tuple(
            _continuation(row["item"], prefix, worded.prompt + c, tokenizer)
            for c in worded.continuations
        ),
    )


def _encode(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids without the EOS that some tokenizers append."""
    ids = list(tokenizer(text)["input_ids"])
    if len(ids) > 1 and ids[-1] == tokenizer.eos_token_id:
        ids.pop()
    return ids


def _continuation(
    item: str, prefix: Sequence[int], text: str, tokenizer: PreTrainedTokenizerBase
) -> tuple[int, ...]:
    ids = _encode(text, tokenizer)
    if ids[: len(prefix)] != list(prefix) or len(ids) == len(prefix):
        raise UserError(
            f"item {item}",
            f"the tokenizer merges the prompt's end with the answer in {text!r}",
            "Reword the statement so that it ends before a blank",
        )
    return tuple(ids[len(prefix) :])


def batches(prompts: Sequence[Prompt], batch_rows: int) -> Iterator[list[int]]:
    """Positions of prompts in batches whose prefixes are equally long."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, prompt in enumerate(prompts):
        by_length[len(prompt.prefix)].append(i)
    for length in sorted(by_length):
        rows = by_length[length]
        for start in range(0, len(rows), batch_rows):
            yield rows[start : start + batch_rows]

"""Prompts as token ids: the question's tokens, then each option's.

A scorer words an item; this module turns the wording into tokens once per model.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, takewhile

import pandas as pd
from transformers import PreTrainedTokenizerBase

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.core.files import sha256_text
from paraspec.measure.wording import Scorer, Worded, scorer_of
from paraspec.models.encoding import Encoding

Spellings = tuple[tuple[str, ...], ...]
"""Texts that name each option of a question, in stored order."""


@dataclass(frozen=True)
class Prompt:
    """An item as tokens."""

    item: str
    gold: int
    prompt_hash: str
    prefix: tuple[int, ...]
    """Prompt tokens, with BOS where the tokenizer adds one."""
    counted: tuple[bool, ...]
    """Which prefix tokens count for coefficients: neither special nor shared ones."""
    options: tuple[tuple[int, ...], ...]
    """Tokens of each option as it continues the prompt, in stored order."""
    order: tuple[int, ...] = ()
    """Stored positions of the options in the order asked."""
    shared: int = 0
    """Leading tokens of the frame that all prompts begin with."""
    scale: tuple[float, ...] = ()
    """What each option's log-likelihood is divided by; nothing where empty."""
    offset: tuple[float, ...] = ()
    """What is subtracted from it first; nothing where empty."""
    spellings: Spellings = ()
    """Texts that name each option, where answers are generated."""

    def scores_of(self, logprobs: Sequence[float]) -> tuple[float, ...]:
        """Score of each option, from its summed log-likelihood in nats."""
        scale = self.scale or (1.0,) * len(logprobs)
        offset = self.offset or (0.0,) * len(logprobs)
        triples = zip(logprobs, offset, scale, strict=True)
        return tuple((value - o) / s for value, o, s in triples)


def tokenise(
    table: pd.DataFrame, asking: Asking, tokenizer: PreTrainedTokenizerBase
) -> dict[str, Prompt]:
    """Tokenise every item of a prompt table as the scorer will ask it.

    Raises
    ------
    UserError
        Naming the item: if the tokenizer merges prompt and answer, two options are the
        same tokens, or letters are no single tokens.
    """
    how, text = scorer_of(asking), Encoding(tokenizer, asking.chat)
    found = [
        _prompt(row, how, how.word(row, asking.config), text)
        for _, row in table.iterrows()
    ]
    if how.framed or asking.chat:
        frame = _frame(how, asking, text)
        found = [_without(frame, prompt) for prompt in found]
    return {prompt.item: prompt for prompt in found}


def _prompt(row: pd.Series, how: Scorer, worded: Worded, text: Encoding) -> Prompt:
    item = row["item"]
    prompt = text.framed(worded.prompt)
    if how.lettered:
        options = _letters(item, prompt, worded, text)
    else:
        blank = "" if text.chat else " "
        options = tuple(
            _continuation(item, prompt, blank + c, text) for c in worded.continuations
        )
    if len(set(options)) < len(options):
        raise UserError(
            f"item {item}",
            "two options are the same tokens",
            "Reword one of them, or use another tokenizer",
        )
    prefix = text.ids(prompt)
    special = set(text.tokenizer.all_special_ids)
    return Prompt(
        item=item,
        gold=int(row["gold"]),
        prompt_hash=sha256_text(prompt)[:12],
        prefix=tuple(prefix),
        counted=tuple(token not in special for token in prefix),
        options=options,
        order=worded.order,
        scale=tuple(
            how.scale(c, len(tokens))
            for c, tokens in zip(worded.continuations, options, strict=True)
        ),
        spellings=spellings_of(row) if how.generates else (),
    )


def spellings_of(row: pd.Series) -> Spellings:
    """Every option of a planned question as written; the gold one also by aliases."""
    found = [(option,) for option in json.loads(row["options"])]
    found[int(row["gold"])] += tuple(json.loads(row["aliases"]))
    return tuple(found)


def _continuation(item: str, prompt: str, more: str, text: Encoding) -> tuple[int, ...]:
    tokens = text.added(prompt, more)
    if tokens is None:
        raise UserError(
            f"item {item}",
            f"the tokenizer merges the prompt's end with the answer in "
            f"{(prompt + more)[-120:]!r}",
            "Reword the statement so that it ends before a blank",
        )
    return tokens


def _letters(
    item: str, prompt: str, worded: Worded, text: Encoding
) -> tuple[tuple[int, ...], ...]:
    """Letter tokens of the options: single ones, after a blank or without it."""
    found = text.letters(prompt, worded.continuations)
    single = tuple(tokens for tokens in found.values() if tokens and len(tokens) == 1)
    if len(single) == len(found):
        return single
    raise UserError(
        f"item {item}",
        f"the letters {', '.join(sorted(worded.continuations))} are no single tokens",
        "Use the scorer cloze for this model",
    )


FILLINGS = ("Who", "Name", "(2")
"""Questions that begin in no common way: what stands before them is the frame."""


def _frame(how: Scorer, asking: Asking, text: Encoding) -> tuple[int, ...]:
    """Tokens that every prompt begins with, whatever is asked.

    From the wording, not from a study's prompts: further ones change nothing.
    """
    prompts = []
    for filling in FILLINGS:
        asked = {"item": "", "question": filling, "prefix": filling}
        row = pd.Series(asked | {"options": json.dumps(FILLINGS)})
        prompts.append(text.ids(text.framed(how.word(row, asking.config).prompt)))
    columns = zip(*prompts, strict=False)
    return tuple(t[0] for t in takewhile(lambda t: len(set(t)) == 1, columns))


def _without(frame: Sequence[int], prompt: Prompt) -> Prompt:
    """Mark the frame's tokens; they do not count."""
    pairs = zip(prompt.prefix[:-1], frame, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    counted = (*[False] * shared, *prompt.counted[shared:])
    return replace(prompt, shared=shared, counted=counted)


def by_length(prompts: Sequence[Prompt], batch_rows: int) -> Iterator[list[int]]:
    """Positions of prompts in batches whose prefixes are equally long."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].prefix))
    for _, group in groupby(order, key=lambda i: len(prompts[i].prefix)):
        rows = list(group)
        for start in range(0, len(rows), batch_rows):
            yield rows[start : start + batch_rows]

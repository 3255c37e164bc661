"""How each scorer words an item, and what it makes of the options' log-likelihoods.

``cloze`` continues the held-out statement by each option; its variants normalise the
log-likelihood by tokens, by bytes, or by what the option gets without the statement
(PMI; Holtzman et al. 2021, domain premise). ``letters`` asks with four lettered options
and reads the letter. ``generate`` lets the model write, and looks for an option in it.
A scorer is one line of :data:`SCORERS`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from paraspec.core.config import Asking, AskingConfig
from paraspec.core.seeds import seed_for

LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Worded:
    """An item as text: the prompt, and the options as they continue it."""

    prompt: str
    continuations: tuple[str, ...]
    """Of each option, in stored order; a blank stands between."""
    order: tuple[int, ...]
    """Stored positions of the options in the order asked."""


Wording = Callable[[pd.Series, AskingConfig], Worded]


def cloze(row: pd.Series, _config: AskingConfig) -> Worded:
    """Word an item as a statement to be completed by the option."""
    options = json.loads(row["options"])
    order = tuple(range(len(options)))
    return Worded(row["prefix"], tuple(options), order)


def letters(row: pd.Series, config: AskingConfig) -> Worded:
    """Word an item as a question with lettered options, rotated by the item's seed.

    The rotation takes the model's preference for a letter out of the mean over items.
    """
    options = json.loads(row["options"])
    n = len(options)
    turn = seed_for("letters", row["item"]) % n
    order = tuple((i + turn) % n for i in range(n))
    shots = "".join(
        f"{_lettered(config, shot.question, shot.options)} {LETTERS[shot.gold]}\n\n"
        for shot in config.shots
    )
    prompt = shots + _lettered(config, row["question"], [options[i] for i in order])
    return Worded(prompt, tuple(LETTERS[order.index(i)] for i in range(n)), order)


def generate(row: pd.Series, config: AskingConfig) -> Worded:
    """Word an item as an open question."""
    worded = cloze(row, config)
    shots = "".join(
        f"{_open(config, shot.question)} {shot.options[shot.gold]}\n\n"
        for shot in config.shots
    )
    prompt = shots + _open(config, row["question"])
    return Worded(prompt, worded.continuations, worded.order)


def _lettered(config: AskingConfig, question: str, options: Sequence[str]) -> str:
    lines = (f"{LETTERS[i]}. {option}" for i, option in enumerate(options))
    return config.letters_template.format(question=question, options="\n".join(lines))


def _open(config: AskingConfig, question: str) -> str:
    return config.generate_template.format(question=question)


@dataclass(frozen=True)
class Scorer:
    """What is asked and how an option's log-likelihood becomes its score."""

    word: Wording
    per: Literal["option", "token", "byte"] = "option"
    """What an option's log-likelihood is divided by the number of."""
    against_baseline: bool = False
    """Subtract the option's log-likelihood after the configured baseline."""
    framed: bool = False
    """Prompts stand in a common frame, whose tokens say nothing of the item."""
    lettered: bool = False
    """Options are letters: single tokens, with or without a blank before."""
    generates: bool = False
    """The prediction is read from generated text."""

    def scale(self, text: str, n_tokens: int) -> float:
        """Divisor of an option's log-likelihood."""
        sizes = {"option": 1, "token": n_tokens, "byte": len(text.encode())}
        return float(sizes[self.per])


SCORERS: Mapping[str, Scorer] = {
    "cloze": Scorer(cloze),
    "cloze-token": Scorer(cloze, per="token"),
    "cloze-byte": Scorer(cloze, per="byte"),
    "cloze-pmi": Scorer(cloze, against_baseline=True),
    "letters": Scorer(letters, framed=True, lettered=True),
    "generate": Scorer(generate, framed=True, generates=True),
}
"""Scorer name, as model tables give it, to what it does."""


def other_format(asking: Asking) -> Asking:
    """The other question format: open questions for statements, and the reverse."""
    statements = SCORERS[asking.scorer].word is cloze
    return replace(asking, scorer="generate" if statements else "cloze")


def scorer_of(asking: Asking) -> Scorer:
    """Line of the table that a model's items are asked by."""
    return SCORERS[asking.scorer]

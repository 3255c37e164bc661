"""Constants of the study that more than one room needs, each with its source."""

from typing import Literal, get_args

PRIMARY_RATIO = 0.05
"""Pre-registered mask ratio (paper: 5 %)."""

PRIMARY_RATIO_SMALL = 0.10
"""Pre-registered mask ratio for models below :data:`SMALL_PARAMETERS`."""

SMALL_PARAMETERS = 10_000_000
"""Non-embedding parameters below which a model counts as small."""

KNOWN_ACCURACY = 0.7
"""Unmasked accuracy from which a concept counts as known (7 of 10 questions)."""

SURE = 0.9
"""Probability among the options above which a model counts as sure of an answer."""

STRONG_PSS = 0.15
"""PSS above which tables count a model as strongly specialised."""

UNRELATED_RATIOS = (0.05, 0.10)
"""Mask ratios at which the paper saw other concepts' questions improve."""

ScorerName = Literal[
    "cloze", "cloze-token", "cloze-byte", "cloze-pmi", "letters", "generate"
]
"""How items can be asked."""

Masking = Literal["hook", "weight", "auto"]
"""How masks act: by hooks, in the weights, or whichever a trial finds faster."""

SelectorName = Literal[
    "difference",
    "difference-norm",
    "t-statistic",
    "attribution",
    "integrated-gradients",
    "last-token",
    "global",
]
"""Rankings that a concept's vectors can be selected by; the paper's first."""

SELECTORS: tuple[SelectorName, ...] = get_args(SelectorName)

PAPER_SELECTOR: SelectorName = "difference"
"""The selector of the paper, and of every mask kind that names no other."""

STOCHASTIC = ("random", "swap", "swap-other", "matched", "shuffled")
"""Mask kinds with several draws."""

ControlMask = Literal[
    "swap",
    "swap-other",
    "matched",
    "undifferenced",
    "shuffled",
    "cross-format",
    "no-outliers",
]
"""Mask kinds that are measured on control models only (one draw of swap on all)."""

CONTROL_MASKS: tuple[ControlMask, ...] = get_args(ControlMask)

Replacement = Literal["mean", "unrelated-mean"]
"""What a masked coefficient can be set to in place of zero."""

REPLACEMENTS: tuple[Replacement, ...] = get_args(Replacement)

NON_KNOWLEDGE = "non-knowledge"
"""Category of concepts that are asked as a control and enter no other statistic."""

CROSS_MASK = "cross"
"""Mask kind of one model: a concept's own items under every other concept's mask."""

ALL = "(all)"
"""What column ``model`` holds in rows that average over models."""

UNPARSED = -1
"""What column ``predicted`` holds for an answer that names no option."""

Mechanism = Literal["", "routing", "dropout"]
"""How training changes specialisation on purpose; empty: it does not."""

ROUTING_BLOCKS = 16
"""Equal blocks of a layer's value vectors that routing gives to groups of concepts."""

NONE = "-"
"""What a text column holds where nothing applies."""


def primary_ratio(n_parameters: int) -> float:
    """Pre-registered mask ratio of a model with that many non-embedding parameters."""
    small = n_parameters < SMALL_PARAMETERS
    return PRIMARY_RATIO_SMALL if small else PRIMARY_RATIO


def vectors_at(ratio: float, n: int) -> int:
    """Value vectors that a mask ratio selects in a layer of ``n``.

    Halves round up: ``floor(ratio * n + 0.5)``, free of banker's rounding and of the
    binary fractions that make 0.7 * 45 fall short of 31.5.

    >>> [vectors_at(r, 10) for r in (0, 0.04, 0.05, 0.25, 1)]
    [0, 0, 1, 3, 10]
    >>> vectors_at(0.7, 45)
    32
    """
    return int(round(ratio * n, 9) + 0.5)

"""Arms of the causal experiments as readers meet them: words for arms and metrics."""

from collections.abc import Mapping

import pandas as pd

from paraspec.core.tables.causal import ARMS, METRICS

NAMES: Mapping[str, str] = {
    "original": "original, untrained",
    "FV": "FV, all vectors",
    "PV": "PV, concepts' own",
    "CV": "CV, all but these",
    "CV-k": "CV-k, some of those",
    "RV": "RV, random",
    "RV-norm": "RV-norm, as long",
    "LOW": "LOW, least active",
    "matched": "matched, as active",
}
"""Arm to its label."""

WORDS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "forgotten": "accuracy forgotten elsewhere",
    "free_accuracy": "accuracy without options",
    "token_f1": "token F1 without options",
    "pss": "PSS",
    "signed": "signed effect, masks selected anew",
    "signed_fixed": "signed effect, masks from before",
    "semantic_entropy": "semantic entropy, nats",
    "semantic_entropy_weighted": "semantic entropy, weighted, nats",
    "lid": "local intrinsic dimension",
}
"""Metric to its words, in the order of tables."""

assert set(NAMES) == set(ARMS)
assert set(WORDS) == set(METRICS)


def arms_of(frame: pd.DataFrame, column: str = "arm") -> list[str]:
    """Arms that a column holds, in their order."""
    found = set(frame[column])
    return [arm for arm in ARMS if arm in found]

"""What fine-tuning chosen value vectors did: per arm and seed, and between arms."""

from typing import Literal, get_args

from paraspec.core.table import REASON, Kind, interval, table
from paraspec.core.tables.measured import ITEMS

ArmName = Literal[
    "original", "FV", "PV", "CV", "CV-k", "RV", "RV-norm", "LOW", "matched"
]
"""Which value vectors are trained: none; all; the pooled concepts' top share of each
layer; its complement; as many random ones of the complement; of all; the same, at a
learning rate that makes the update as long as that of PV; the least active; random ones
that are as active."""

ARMS: tuple[ArmName, ...] = get_args(ArmName)

UNTRAINED_ARM: ArmName = "original"
"""The model as it was: measured once, compared with nothing trained."""

SPECIFIC_ARM: ArmName = "PV"
"""The arm that the claims are about (paper: fine-tuning the concepts' own vectors)."""

RANDOM_ARM: ArmName = "RV"
"""As many random value vectors as the specific arm trains."""

NORM_ARM: ArmName = "RV-norm"
"""The random arm again, its update as long as the specific arm's."""

DEVELOPMENT_HALF, TEST_HALF = "A", "B"
"""Halves of a concept's questions: learning rates and layers are chosen on the first,
arms are judged on the second."""

KNOWN, NEW = "known", "new"
"""Facts that a model is taught: met in training, or never met."""

ALL_SEEDS = "all"
"""What column ``seed`` of ``causal`` holds in rows that average over seeds."""

ARM: tuple[tuple[str, Kind, str], ...] = (
    ("arm", "category", "Which value vectors were trained."),
    ("seed", "integer", "Seed of the training order and of random choices."),
)

FACTS: tuple[str, Kind, str] = (
    "facts",
    "text",
    "Taught facts: known (met in training) or new (never met).",
)

ARM_RUNS = table(
    "arm_runs",
    ("model", "text", "Model that was fine-tuned."),
    *ARM,
    FACTS,
    ("learning_rate", "number", "Best of the sweep, on seed 0."),
    ("steps", "integer", "Optimiser steps."),
    ("n_tokens", "integer", "Target tokens met."),
    ("trained", "integer", "Parameters trained."),
    ("k", "integer", "Value vectors trained, summed over layers."),
    ("update_norm", "number", "Euclidean norm of the change of all parameters."),
    ("first_loss", "number", "Loss of the first step, nats."),
    ("last_loss", "number", "Mean loss of the last tenth of the steps, nats."),
    ("development", "number", "Accuracy on the development half."),
    ("lid_layer", "integer", "Layer whose hidden states LID is computed on."),
    ("untouched_equal", "flag", "Every other number of the model is bit-equal."),
    REASON,
)

CAUSAL_RUNS = table(
    "causal_runs",
    *((column.name, column.kind, column.meaning) for column in ARM_RUNS.columns),
)
"""Runs of all fine-tuned models."""

SWEEP = table(
    "arm_sweep",
    ("model", "text", "Model that was fine-tuned."),
    ("arm", "text", "Which value vectors were trained."),
    ("learning_rate", "number", "Peak learning rate."),
    ("development", "number", "Accuracy on the development half, seed 0."),
    ("margin", "number", "Mean margin on it, nats: what ties are broken by."),
    ("update_norm", "number", "Euclidean norm of the change of all parameters."),
    ("chosen", "flag", "All seeds of the arm use this one."),
    REASON,
)

ARM_ITEMS = table(
    "arm_items",
    *((column.name, column.kind, column.meaning) for column in ITEMS.columns),
    *ARM,
)
"""Mask kinds: `none` for all questions; `top` and `random` at the primary ratio for the
chosen concepts, selected anew after training; `top-fixed`, selected before it."""

FREE_ANSWERS = table(
    "free_answers",
    ("model", "category", "Model that was fine-tuned."),
    *ARM,
    ("item", "category", "Test question, asked without options."),
    ("concept", "category", "Concept that it asks about."),
    ("answer", "text", "What the model writes, greedily."),
    ("contained", "flag", "The gold answer or an alias stands in it."),
    ("token_f1", "number", "Token F1 against the closest accepted answer."),
    ("n_samples", "integer", "Answers sampled."),
    ("n_clusters", "integer", "Meanings among them."),
    ("semantic_entropy", "number", "Discrete, of the clusters' shares, nats."),
    (
        "semantic_entropy_weighted",
        "number",
        "Of the clusters' likelihoods, each answer counted once, nats.",
    ),
    ("lid", "number", "Local intrinsic dimension of the last token's hidden state."),
)

METRICS: dict[str, str] = {
    "accuracy": "Accuracy on the chosen concepts' test half.",
    "forgotten": "Accuracy lost on all other concepts, against the original.",
    "free_accuracy": "Share of test questions answered right without options.",
    "token_f1": "Mean token F1 of these answers.",
    "pss": "PSS of masks selected anew.",
    "signed": "Signed difference-in-differences of masks selected anew.",
    "signed_fixed": "The same of masks selected before training.",
    "semantic_entropy": "Mean discrete semantic entropy, nats.",
    "semantic_entropy_weighted": "Mean likelihood-weighted semantic entropy, nats.",
    "lid": "Mean local intrinsic dimension.",
}
"""What arms are compared by."""

CAUSAL = table(
    "causal",
    ("model", "text", "Model that was fine-tuned."),
    FACTS,
    ("arm", "text", "Which value vectors were trained."),
    ("seed", "text", "Seed, or `all`: the mean over seeds."),
    ("metric", "text", "What was measured; see docs/measures.md."),
    *interval("value", "Its value; the interval is over concepts, and over seeds."),
    ("n_concepts", "integer", "Concepts behind it."),
    ("n_seeds", "integer", "Seeds behind it."),
    REASON,
)

CONTRASTS = table(
    "causal_contrasts",
    ("model", "text", "Model that was fine-tuned."),
    FACTS,
    ("metric", "text", "What was measured."),
    ("arm", "text", "Arm."),
    ("other", "text", "Arm that it is compared with, paired by concept and seed."),
    *interval("difference", "Arm minus other, mean over concepts and seeds."),
    ("p", "number", "Two-sided, from the hierarchical bootstrap."),
    ("p_holm", "number", "Holm-corrected over the contrasts of this metric."),
    ("equal_k", "flag", "Both arms train equally many value vectors."),
    ("n_concepts", "integer", "Concepts behind it."),
    ("n_seeds", "integer", "Seeds behind it."),
    REASON,
)

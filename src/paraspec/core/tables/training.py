"""The loss curve of a model trained by the study."""

from paraspec.core.table import table

TRAINING = table(
    "training",
    ("step", "integer", "Optimiser steps done."),
    ("loss_nats", "number", "Mean cross-entropy of that step's batch."),
    ("learning_rate", "number", "Learning rate of that step."),
    ("n_tokens", "integer", "Target tokens met so far."),
)

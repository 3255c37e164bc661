"""What claims are judged from: every statistic with its interval, unrounded."""

from paraspec.core.table import interval, table

EVIDENCE = table(
    "evidence",
    ("id", "text", "Statistic: an id of correlations or estimates."),
    *interval("estimate", "Its value, unrounded."),
    ("p", "number", "Two-sided p value, where the statistic has one."),
    ("n", "integer", "Units that the interval speaks of."),
    ("n_unit", "text", "models, concepts, checkpoints..."),
    ("statistic", "text", "What was computed, and how its interval."),
    ("reason", "text", "Why a value is NaN; empty otherwise."),
    ("kinds", "text", "Kinds of the models it was computed on, joined by commas."),
    (
        "tails",
        "text",
        "Distribution behind the interval: draws (in evidence_draws), identity or "
        "fisher (Student's t on that scale); empty without one.",
    ),
    ("centre", "number", "Centre of that t; NaN of draws."),
    ("error", "number", "Its standard error."),
    ("freedom", "number", "Its degrees of freedom; infinite: the normal."),
)

EVIDENCE_DRAWS = table(
    "evidence_draws",
    ("id", "category", "Statistic, a row of evidence."),
    ("value", "number", "One bootstrap draw of it, in the order drawn."),
)

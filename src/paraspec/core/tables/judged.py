"""Verdicts on claims, and the comparison with published tables."""

from paraspec.core.table import interval, table

CLAIMS = table(
    "claims",
    ("id", "text", "Claim, a key of config/claims.yaml."),
    ("claim", "text", "The claim in words."),
    ("source", "text", "paper or ours, with the section."),
    ("statistic", "text", "What was computed."),
    ("direction", "text", "positive or negative."),
    *interval("estimate", "Estimate of the statistic."),
    ("p", "number", "Two-sided p value, where the statistic has one."),
    (
        "p_holm",
        "number",
        "The same (of a claim of absence p_equivalence), Holm-corrected over the "
        "secondary claims; the first claim is the primary endpoint and keeps its p.",
    ),
    ("n", "integer", "Units that the interval speaks of."),
    ("n_unit", "text", "models, concepts, checkpoints..."),
    ("smallest_effect", "number", "Smallest effect of interest."),
    ("margin", "number", "Equivalence margin: an interval within it says no effect."),
    (
        "p_equivalence",
        "number",
        "Larger p of the two one-sided tests that the effect reaches the margin "
        "(TOST); of a claim of absence the one in its direction.",
    ),
    ("control", "text", "Named control of the claim."),
    *interval("control_estimate", "Estimate of the control."),
    ("control_passed", "text", "yes, no, unknown, or - without a control."),
    ("verdict", "text", "replicated, partly, not or not testable."),
    ("reason", "text", "Why this verdict, in words."),
    ("figure", "text", "Figure of the report that shows it; empty if none does."),
)

VERIFY = table(
    "verify",
    ("table", "text", "Table compared, or claims."),
    ("key", "text", "Row of the table, its key columns joined by /."),
    ("column", "text", "Column compared."),
    ("fresh", "text", "Value of this run."),
    ("reference", "text", "Value of the reference."),
    ("difference", "number", "Absolute difference of numbers."),
    ("tolerance", "number", "Largest difference allowed."),
    ("within", "flag", "Equal, or within the tolerance."),
    ("reason", "text", "What is wrong, where it is not a difference."),
)

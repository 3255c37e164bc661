"""Models whose specialisation was set in training, beside those trained plainly."""

from paraspec.core.definitions import SURE
from paraspec.core.table import REASON, interval, table

INDUCED = table(
    "induced",
    ("model", "text", "Model of a mechanism, or a baseline of one."),
    ("mechanism", "text", "routing, dropout, or empty: the plain baseline."),
    ("strength", "number", "Strength of the mechanism; 0 for a baseline."),
    ("seed", "integer", "Training seed; models of one seed start from equal weights."),
    ("n_concept_items", "integer", "Concept items."),
    *interval("accuracy", "Unmasked accuracy on the concepts' items."),
    ("accuracy_tier_high", "number", "The same on concepts of tier high."),
    ("accuracy_tier_mid", "number", "On those of tier mid."),
    ("accuracy_tier_low", "number", "On those of tier low."),
    *interval("bits", "Bits of the concepts' facts that the model tells apart."),
    *interval("bits_per_parameter", "The same over non-embedding parameters."),
    ("k50", "number", "Median k50 of known concepts under the top mask."),
    ("k50_censored", "number", "Share of those k50 that are lower bounds."),
    *interval("pss", "PSS at the primary ratio."),
    *interval("signed", "Signed difference-in-differences, same rows."),
    *interval("signed_known", "The same on items that are right without a mask."),
    *interval("random_signed", "Signed effect of the random masks, draws pooled."),
    ("never_seen", "number", "Accuracy on concepts that the model never met."),
    (
        "unseen_confidence",
        "number",
        "Mean probability of the answer among the options on concepts never met.",
    ),
    (
        "hallucination",
        "number",
        "Share of questions on concepts never met that are answered wrongly with a "
        f"probability above {SURE:g} among the options.",
    ),
    REASON,
)
"""One row per model; rows by mechanism, strength and seed."""

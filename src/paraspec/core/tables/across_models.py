"""Tables across models, written by ``paraspec correlate``."""

from paraspec.core.definitions import KNOWN_ACCURACY, STRONG_PSS
from paraspec.core.table import REASON, interval, table
from paraspec.core.tables.per_model import MADE_OF

MODELS = table(
    "models",
    ("model", "text", "Model name; checkpoints of a trajectory have rows too."),
    ("family", "text", "Model family."),
    ("architecture", "text", "Hugging Face model_type."),
    ("n_experts", "integer", "Experts of a layer; 0: not a mixture of experts."),
    ("parameters_total", "integer", "Non-embedding parameters."),
    ("parameters_active", "integer", "Those that one token uses."),
    ("d_model", "integer", "Width of the residual stream."),
    ("n_layers", "integer", "Layers."),
    ("steps", "number", "Training steps; NaN if unknown (published models)."),
    ("seed", "number", "Training seed; NaN if unknown."),
    ("checkpoint", "flag", "A trajectory checkpoint: never in cross-model statistics."),
    ("trajectory_of", "text", "Model whose checkpoint it is; empty otherwise."),
    ("trajectory_step", "number", "Its training step; NaN if no checkpoint."),
    ("mechanism", "text", "What set its specialisation in training; empty: nothing."),
    ("strength", "number", "Strength of the mechanism; 0 without one."),
    (
        "in_primary",
        "flag",
        "Enters the primary correlation: no checkpoint, no mixture of experts, no "
        "mechanism.",
    ),
    ("source", "text", "Where the model came from."),
    ("released", "text", "Release date; empty if unknown (models of the study)."),
    ("mmlu", "number", "Published MMLU score in percent; NaN if unknown."),
    ("tokens", "number", "Tokens met in training; NaN if unknown."),
    ("n_concepts", "integer", "Concepts."),
    ("n_concept_items", "integer", "Concept items."),
    *interval("accuracy", "Unmasked accuracy on the concepts' items."),
    ("accuracy_a", "number", "The same on items of half A."),
    ("accuracy_b", "number", "The same on items of half B."),
    ("chance", "number", "Mean accuracy of guessing."),
    ("floor", "number", "Mean accuracy of a concept-blind predictor."),
    ("general_accuracy", "number", "Unmasked accuracy on same-category general items."),
    ("never_seen", "number", "Accuracy on concepts that the model never met."),
    ("never_seen_gap", "number", "accuracy minus never_seen: the positive control."),
    ("primary_ratio", "number", "Pre-registered mask ratio of this model."),
    *interval("pss", "Cross-fitted same-category PSS at the primary ratio."),
    *interval("signed", "Signed difference-in-differences, same rows."),
    *interval("signed_floor", "The same, floor-corrected."),
    *interval("signed_margin", "The same in margins, nats: no floor, no ceiling."),
    *interval("signed_known", "The same on items that are right without a mask."),
    ("n_known_items", "integer", "Concept items that are right without a mask."),
    *interval(
        "signed_known_by_all",
        "The same on items that all models which know half of their concepts answer "
        "right without a mask; NaN for other models.",
    ),
    ("n_known_by_all_items", "integer", "Concept items that all of those know."),
    ("pss_chance", "number", "PSS of chance-corrected accuracies."),
    ("pss_insample", "number", "PSS of the in-sample mask (the paper's variant)."),
    *interval("peak_pss", "PSS at the cross-fitted peak ratio."),
    ("peak_ratio", "number", "Mean of the two ratios that the halves chose."),
    *interval("random_pss", "PSS of the random masks, draws pooled."),
    *interval("random_signed", "Signed effect of the random masks, draws pooled."),
    ("random_draws", "integer", "Draws of the random mask."),
    *interval("swap_signed", "Signed effect of another same-category mask."),
    (
        "n_known",
        "integer",
        f"Concepts with unmasked accuracy at least {KNOWN_ACCURACY:g}.",
    ),
    ("k50_top", "number", "Median k50 of known concepts under the top mask."),
    ("k50_top_censored", "number", "Share of those k50 that are lower bounds."),
    ("k50_random", "number", "Median k50 of known concepts under the random mask."),
    ("k50_random_censored", "number", "Share of those k50 that are lower bounds."),
    ("n_known_shared", "integer", "Concepts known to all models that know half."),
    ("k50_shared_top", "number", "Median top k50 of those; NaN for other models."),
    ("k50_shared_random", "number", "The same under the random mask."),
    ("knockout_auc_top", "number", "Median area of known concepts, top mask."),
    ("knockout_auc_random", "number", "The same under the random mask."),
    ("reliability", "number", "Mean Jaccard of masks selected on halves A and B."),
    ("selectivity", "number", "Mean selectivity index of the masked value vectors."),
    REASON,
)

CORRELATIONS = table(
    "correlations",
    ("id", "text", "Unique key of the row, <effect>.<against>.<halves>.<method>..."),
    ("effect", "text", "Column of `models` that is correlated, e.g. pss."),
    ("against", "text", "accuracy, log_parameters, released or mmlu."),
    ("halves", "text", "disjoint: the two from different question halves; or same."),
    (
        "method",
        "text",
        "pearson, spearman, partial (given log_parameters), partial-tokens (and log "
        "tokens), two-way-bootstrap, within-family-slope, leave-one-family-out, "
        "family-bootstrap, mixed-model or random-mask-null.",
    ),
    ("models", "text", "dense (primary), all (with mixtures of experts)..."),
    ("n", "integer", "Models; without those whose effect is undefined."),
    ("n_families", "integer", "Families."),
    *interval("estimate", "The statistic."),
    (
        "interval",
        "text",
        "How the interval was made. Not one of the estimate, but a range, for leave-"
        "one-family-out (of left-out families) and random-mask-null (of the null).",
    ),
    ("p", "number", "Two-sided p value."),
    ("p_bh", "number", "Benjamini-Hochberg p over rows of its method and models."),
    ("descriptive", "flag", "Not for inference (fewer than 8 families)."),
    REASON,
)

ESTIMATES = table(
    "estimates",
    ("id", "text", "Unique key of the row."),
    ("statistic", "text", "What was computed, in words."),
    ("n", "integer", "Units that the interval speaks of."),
    ("n_unit", "text", "models, checkpoints..."),
    *interval("estimate", "The statistic."),
    ("interval", "text", "How the interval was made."),
    ("p", "number", "Two-sided bootstrap p value."),
    REASON,
)

TIERS = table(
    "tiers",
    ("model", "text", "Model, or `(all)`: mean over the primary models."),
    ("mask", "text", "top or random."),
    ("group", "text", "exposure, tier, category or origin (of the relation)."),
    ("level", "text", "Level of the group, or `highest minus lowest`: a contrast."),
    ("n_concepts", "integer", "Concepts."),
    ("n_items", "integer", "Concept items."),
    *interval("accuracy", "Unmasked accuracy on the concept items."),
    *interval("signed", "Signed difference-in-differences at the primary ratio."),
    *interval("pss", "PSS; misleading across levels: its denominator differs."),
    REASON,
)

SIZES = table(
    "sizes",
    ("family", "text", "Model family."),
    ("model", "text", "Model; ordered by parameters within the family."),
    ("n_experts", "integer", "Experts of a layer; 0: not a mixture of experts."),
    ("parameters_total", "integer", "Non-embedding parameters."),
    ("parameters_active", "integer", "Those that one token uses."),
    ("steps", "number", "Training steps; NaN if unknown."),
    ("seed", "number", "Training seed; NaN if unknown."),
    *interval("accuracy", "Unmasked accuracy on the concepts' items."),
    *interval("pss", "PSS at the primary ratio."),
    *interval("signed", "Signed difference-in-differences."),
    *interval("random_signed", "The same under the random masks."),
    REASON,
)

TRAJECTORY = table(
    "trajectory",
    ("trajectory_of", "text", "Model that was trained."),
    ("model", "text", "Checkpoint."),
    ("step", "integer", "Training step."),
    ("chance", "number", "Mean accuracy of guessing."),
    *interval("accuracy", "Unmasked accuracy on the concepts' items."),
    *interval("pss", "PSS at the primary ratio."),
    *interval("signed", "Signed difference-in-differences."),
    *interval("random_pss", "PSS of the random masks."),
    *interval("random_signed", "Signed effect of the random masks."),
    REASON,
)

CONTROLS = table(
    "controls",
    ("model", "text", "Model, or `(all)`: mean over the primary models that have it."),
    ("mask", "text", "Mask kind: top, top-insample, random, swap or a control."),
    ("selector", "text", "Ranking of value vectors."),
    ("ablation", "text", "zero, mean or unrelated-mean."),
    ("ratio", "number", "Primary ratio; NaN for `(all)`."),
    ("draws", "integer", "Draws or donors, most over concepts."),
    ("n_models", "integer", "Models in the row."),
    ("n_concepts", "integer", "Concepts."),
    *interval("signed", "Signed difference-in-differences of this mask, draws pooled."),
    ("draw_sd", "number", "SD over draws of the signed effect; NaN with one draw."),
    *interval("signed_margin", "The signed effect in margins, nats, draws pooled."),
    *interval(
        "top_minus",
        "Signed effect of the paper's top mask (same ablation) minus this one's, "
        "paired within models.",
    ),
    *interval("general_change", "General accuracy, masked minus unmasked."),
    *interval("log_odds", "Item-level GEE: drop in log-odds, concept beyond general."),
    ("pss", "number", "PSS under this mask."),
    ("active_share", "number", "Share of active value vectors that the mask hits."),
    ("contains_zero", "flag", "The interval of `signed` contains zero."),
    ("strong", "flag", f"PSS exceeds {STRONG_PSS:g}."),
    REASON,
)

SELECTORS = table(
    "selectors",
    ("model", "text", "Model, or `(all)`: mean over the primary models that have it."),
    ("selector", "text", "Ranking of value vectors; random: the random mask."),
    *interval("signed", "Signed difference-in-differences of its top mask."),
    *interval("top_minus_random", "That minus the random mask's, paired."),
    ("pss", "number", "PSS of its top mask."),
    *interval("reliability", "Mean Jaccard of masks selected on halves A and B."),
    *MADE_OF,
    ("recall", "number", "Planted vectors among as many top ones of each layer."),
    ("recall_primary", "number", "Planted vectors within the primary mask ratio."),
    ("recall_chance", "number", "Expected `recall` of a random ranking."),
    ("auc", "number", "Chance that a planted vector ranks before another one."),
    ("n_models", "integer", "Models in the row."),
    ("n_concepts", "integer", "Concepts."),
    REASON,
)

OVERLAPS = table(
    "overlaps",
    ("selector", "text", "Ranking of value vectors."),
    ("other", "text", "Ranking that it is compared with."),
    ("n_models", "integer", "Primary models that were ranked by both."),
    ("jaccard", "number", "Mean Jaccard index of both masks over those models."),
    ("chance", "number", "Expected Jaccard of two random masks of this size."),
)

COLLATERAL_DAMAGE = table(
    "collateral_damage",
    ("model", "text", "Model, or `(all)`: mean over the primary models that have it."),
    ("mask", "text", "Mask kind."),
    ("selector", "text", "Ranking of value vectors."),
    ("ablation", "text", "zero, mean or unrelated-mean."),
    ("loss_before", "number", "Unmasked loss on neutral text, nats per token."),
    ("loss", "number", "The same under the mask."),
    *interval("loss_change", "Masked minus unmasked loss, nats per token."),
    ("perplexity_ratio", "number", "exp(loss_change)."),
    ("unparsed_before", "number", "Share of concept items answered unreadably."),
    ("unparsed", "number", "The same under the mask."),
    (
        "entropy_before",
        "number",
        "Entropy of the predicted option's position on concept items, bits; 2 where "
        "four positions are chosen equally often.",
    ),
    ("entropy", "number", "The same under the mask."),
    ("n_concepts", "integer", "Concepts whose masks were on."),
    ("n_models", "integer", "Models in the row."),
    REASON,
)

CROSS = table(
    "cross",
    ("model", "text", "Model."),
    ("concept", "text", "Concept whose questions are asked."),
    ("category", "text", "Its category."),
    ("donor", "text", "Concept whose vectors are masked; itself: its own `top` mask."),
    ("donor_category", "text", "Category of the donor."),
    ("n_items", "integer", "Items."),
    ("before", "number", "Unmasked accuracy."),
    ("after", "number", "Masked accuracy, primary ratio."),
    ("drop", "number", "before minus after."),
)

NON_KNOWLEDGE = table(
    "non_knowledge",
    (
        "model",
        "text",
        "Model, or `(all)`: mean over the primary models that have it.",
    ),
    ("concept", "text", "Control that is asked like a concept but is no knowledge."),
    ("mask", "text", "top or random."),
    ("n_items", "integer", "Its own items."),
    ("before", "number", "Unmasked accuracy on them."),
    ("after", "number", "Masked accuracy on them, primary ratio."),
    ("drop", "number", "before minus after."),
    ("general_change", "number", "General accuracy, masked minus unmasked."),
    *interval(
        "signed",
        "Signed difference-in-differences against items of other categories; its "
        "interval resamples items (and models in `(all)`).",
    ),
    ("n_models", "integer", "Models in the row."),
    REASON,
)

CURVES = table(
    "curves",
    ("model", "text", "Model."),
    ("mask", "text", "Mask kind, zero ablation; each starts at ratio 0."),
    ("set", "text", "concept or general."),
    ("kinship", "text", "own; for general same-category, other-category or all."),
    ("ratio", "number", "Mask ratio; 0: unmasked."),
    ("n_items", "integer", "Answered items, all draws."),
    *interval("accuracy", "Accuracy."),
    *interval("margin", "Mean margin, nats."),
)

"""What the items of one model say: specialisation and efficiency."""

from paraspec.core.table import REASON, Kind, table

PSS = table(
    "pss",
    ("model", "text", "Model name."),
    ("selector", "text", "Ranking of value vectors."),
    ("mask", "text", "Mask kind."),
    ("kinship", "text", "General items used: same-category, other-category or all."),
    ("at", "text", "`ratio` (a row of the grid) or `peak` (cross-fitted)."),
    ("ratio", "number", "Mask ratio; for a peak the mean of the two chosen ratios."),
    ("k", "integer", "Value vectors masked, summed over layers."),
    ("n_concepts", "integer", "Concepts."),
    ("n_concept_items", "integer", "Answered concept items, all draws."),
    ("n_general_items", "integer", "Answered general items, all draws."),
    ("concept_before", "number", "Unmasked accuracy on concept items (S0)."),
    ("general_before", "number", "Unmasked accuracy on general items (G0)."),
    ("overall_before", "number", "Unmasked accuracy over the distinct items."),
    ("concept_after", "number", "Masked accuracy on concept items (S1)."),
    ("general_after", "number", "Masked accuracy on general items (G1)."),
    ("pss", "number", "|G1 - S1| / G0 (paper, section 3)."),
    ("pss_low", "number", "Lower end of its 95 % concept-bootstrap interval."),
    ("pss_high", "number", "Upper end."),
    ("pss_overall", "number", "|G1 - S1| / overall_before."),
    ("pss_chance", "number", "PSS of chance-corrected accuracies."),
    ("signed", "number", "(S0 - S1) - (G0 - G1): difference in differences."),
    ("signed_low", "number", "Lower end of its 95 % concept-bootstrap interval."),
    ("signed_high", "number", "Upper end."),
    ("signed_chance", "number", "Signed difference of chance-corrected accuracies."),
    ("signed_floor", "number", "Signed difference of floor-corrected accuracies."),
    ("signed_margin", "number", "The same difference in margins, nats."),
    REASON,
)

EFFICIENCY = table(
    "efficiency",
    ("model", "text", "Model name."),
    ("concept", "text", "Concept."),
    ("category", "text", "Category of the concept."),
    ("tier", "text", "Tier of the concept."),
    ("exposure", "integer", "Training exposures; 0: not trained on it."),
    ("selector", "text", "Ranking of value vectors."),
    ("mask", "text", "top or random."),
    ("known", "flag", "Unmasked accuracy on the concept's items at least 0.7."),
    ("accuracy", "number", "Unmasked accuracy on the concept's items."),
    ("margin", "number", "Unmasked mean margin, nats."),
    ("k50", "number", "Mask ratio at which the mean margin has halved."),
    ("censored", "flag", "Not halved at the largest ratio: k50 is a lower bound."),
    ("knockout_auc", "number", "Mean of margin(ratio)/margin(0) over the shared grid."),
    ("keep50", "number", "Share of kept vectors that gives half the margin back."),
    ("keep_auc", "number", "Mean of margin(share)/margin(1) over the kept grid."),
    REASON,
)

MADE_OF: tuple[tuple[str, Kind, str], ...] = (
    ("chance", "number", "Expected Jaccard of two random masks of this size."),
    ("same_category", "number", "Mean Jaccard with concepts of the same category."),
    ("other_category", "number", "Mean Jaccard with concepts of other categories."),
    ("selectivity", "number", "(related - unrelated) / (related + unrelated), masked."),
    ("participation", "number", "Participation ratio of positive values / vectors."),
    ("gini", "number", "Gini coefficient of the positive values."),
)
"""What the masks of a selector are made of; across models, means over concepts."""

SELECTION = table(
    "selection",
    ("model", "text", "Model name."),
    ("concept", "text", "Concept."),
    ("category", "text", "Category of the concept."),
    ("selector", "text", "Ranking of value vectors."),
    ("ratio", "number", "Mask ratio: the model's primary one."),
    ("reliability", "number", "Jaccard of the masks selected on half A and half B."),
    *MADE_OF,
    REASON,
)

OVERLAP = table(
    "overlap",
    ("model", "text", "Model name."),
    ("selector", "text", "Ranking of value vectors."),
    ("other", "text", "Ranking that it is compared with."),
    ("ratio", "number", "Mask ratio: the model's primary one."),
    ("n_concepts", "integer", "Concepts."),
    ("jaccard", "number", "Mean over concepts of the masks' Jaccard index."),
    ("chance", "number", "Expected Jaccard of two random masks of this size."),
)

PLANTED = table(
    "planted",
    ("model", "text", "Model that the facts were planted in."),
    ("selector", "text", "Ranking of value vectors."),
    ("concept", "text", "Concept that was given new facts."),
    ("n_planted", "integer", "Value vectors that hold them, all layers."),
    ("recall", "number", "Share of them among as many top vectors of each layer."),
    ("recall_primary", "number", "Share of them within the primary mask ratio."),
    ("chance", "number", "Expected recall of a random ranking."),
    ("auc", "number", "Chance that a planted vector ranks before another one."),
    ("planted_before", "number", "Share of the new answers given before planting."),
    ("planted_after", "number", "The same after planting."),
    ("others_before", "number", "Accuracy on the other concepts before planting."),
    ("others_after", "number", "The same after planting."),
)

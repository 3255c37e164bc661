"""What was asked of one model, under which masks, and how it answered."""

from paraspec.core.table import table

ITEMS = table(
    "items",
    ("model", "category", "Model name."),
    ("concept", "category", "Concept whose mask is on."),
    ("item", "category", "Item answered."),
    ("item_concept", "category", "Concept that the item asks about."),
    ("relation", "category", "Kind of fact asked."),
    ("category", "category", "Category of `concept`."),
    ("tier", "category", "Tier of `concept`."),
    ("item_tier", "category", "Tier of `item_concept`."),
    ("exposure", "integer", "Training exposures of `concept`; 0: not trained on it."),
    ("set", "category", "concept or general."),
    ("kinship", "category", "own, same-category or other-category."),
    ("half", "category", "Half being evaluated (A or B); selection used the other."),
    ("scorer", "category", "How the item was asked and scored."),
    ("prompt_hash", "category", "First 12 hex digits of the prompt's SHA-256."),
    ("option_order", "category", "Order in which options stood, as stored positions."),
    ("selector", "category", "Ranking of value vectors; - without a mask."),
    ("mask", "category", "Mask kind: none, top, top-insample, random or a control."),
    ("ablation", "category", "zero, mean, unrelated-mean or keep; - without a mask."),
    ("draw", "integer", "Draw of a stochastic mask, else 0."),
    ("donor", "category", "Concept whose ranking made the mask; - if none."),
    ("ratio", "number", "Mask ratio: share of each layer's value vectors."),
    ("k", "integer", "Value vectors selected, summed over layers."),
    ("correct", "flag", "The predicted option is the gold one."),
    ("parsed", "flag", "The answer could be read as one of the options."),
    (
        "margin",
        "number",
        "Gold score minus the best other's; nats unless normalised.",
    ),
    ("gold_logprob", "number", "Log-likelihood of the gold option, nats."),
    ("predicted", "integer", "Stored position of the predicted option; -1: unparsed."),
    ("option_mass", "number", "Summed probability of the options as continuations."),
    ("chance", "number", "One over the number of options."),
    ("floor", "number", "Accuracy of a concept-blind predictor on this item."),
)

MASKS = table(
    "masks",
    ("model", "category", "Model name."),
    ("concept", "category", "Concept whose mask is on."),
    ("selector", "category", "Ranking of value vectors; - without a mask."),
    ("mask", "category", "Mask kind: none, top, top-insample, random or a control."),
    ("ablation", "category", "zero, mean, unrelated-mean or keep; - without a mask."),
    ("draw", "integer", "Draw of a stochastic mask, else 0."),
    ("donor", "category", "Concept whose ranking made the mask; - if none."),
    ("ratio", "number", "Mask ratio: share of each layer's value vectors."),
    ("halves", "category", "Halves of items that are answered under it."),
    ("k", "integer", "Value vectors selected, summed over layers."),
    ("active_share", "number", "Routing-weighted share of active vectors selected."),
    ("reason", "text", "Why nothing is answered under it; empty otherwise."),
)

COLLATERAL = table(
    "collateral",
    ("model", "category", "Model name."),
    ("concept", "category", "Concept whose mask is on."),
    ("selector", "category", "Ranking of value vectors; - without a mask."),
    ("mask", "category", "Mask kind."),
    ("ablation", "category", "zero, mean or unrelated-mean; - without a mask."),
    ("draw", "integer", "Draw of a stochastic mask, else 0."),
    ("ratio", "number", "Mask ratio."),
    ("half", "category", "Half under whose mask it was read; - without a mask."),
    ("n_tokens", "integer", "Tokens of neutral text."),
    ("loss", "number", "Mean negative log-likelihood of a token, nats."),
)

VECTORS = table(
    "vectors",
    ("model", "category", "Model name."),
    ("concept", "category", "Concept."),
    ("layer", "integer", "Site of the down projection, in network order."),
    ("rank", "integer", "Place among the layer's value vectors, 0 first."),
    ("vector", "integer", "Number of the value vector (column) within the site."),
    ("related", "number", "Mean |coefficient| on the concept's questions."),
    ("unrelated", "number", "The same on unrelated questions."),
    ("norm", "number", "Euclidean norm of the value vector."),
    ("promoted", "text", "JSON list: tokens that the vector raises most; may be []."),
)
"""Top value vectors of every concept, selected on all of its questions."""

"""Tables of a study's own data, written by ``paraspec data plan``."""

from paraspec.core.table import table

CONCEPTS = table(
    "concepts",
    ("concept", "text", "Concept identifier."),
    ("name", "text", "English name."),
    ("category", "category", "Category of the concept."),
    ("tier", "category", "high, mid or low: tercile of the name's Zipf frequency."),
    ("zipf", "number", "Zipf frequency of the name (log10 per 1e9 words)."),
    ("common_word", "flag", "The name is also a common English word."),
    ("exposure", "integer", "Times each fact is met in training; 0: not trained on."),
)

PROMPTS = table(
    "prompts",
    ("item", "text", "Item identifier, <concept>.<relation>."),
    ("item_concept", "text", "Concept that the item asks about."),
    ("relation", "category", "Kind of fact."),
    ("category", "category", "Category of item_concept."),
    ("tier", "category", "Tier of item_concept."),
    ("half", "category", "Cross-fitting half of the item, A or B."),
    ("question", "text", "Natural question."),
    ("prefix", "text", "Held-out statement up to the answer."),
    ("options", "text", "JSON list of the options."),
    ("gold", "integer", "Position of the right option."),
    ("aliases", "text", "JSON list of other right spellings."),
    ("chance", "number", "Accuracy of guessing: one over the number of options."),
    ("floor", "number", "Accuracy of a concept-blind predictor on this item."),
    ("country_derived", "flag", "Answer follows from a city's country."),
)

SETS = table(
    "sets",
    ("concept", "text", "Concept whose mask is on."),
    ("item", "text", "Item identifier."),
    ("set", "category", "concept, general (evaluated), or conflict (kept out)."),
    ("kinship", "category", "own, same-category or other-category."),
    ("half", "category", "Half under whose mask it is evaluated; - for conflict."),
)

CORPUS = table(
    "corpus",
    ("concept", "text", "Concept that the sentence is about."),
    ("item", "text", "Item whose fact it states."),
    ("text", "text", "The sentence."),
    ("exposure", "integer", "Times it stands in one pass of training."),
)

NEUTRAL = table(
    "neutral",
    ("text", "text", "A sentence that speaks of none of the study's concepts."),
)

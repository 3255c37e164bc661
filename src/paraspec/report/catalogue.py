"""Which figures there are: names, titles and words for those who cannot see them.

Plain data, so that the workflow's rules read it without loading a plotting library.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What is known of a figure before it is drawn."""

    title: str
    category: str
    """Group that it stands in, on the page and in Snakemake's report."""
    alt: str
    """What a reader who cannot see the figure should know it shows."""


MODELS = "Across models"
CONTROLS = "Controls"
VECTORS = "Value vectors"
CAUSAL = "Causal experiments"

CATALOGUE: dict[str, Entry] = {
    "pss_accuracy": Entry(
        "Specialisation against knowledge",
        MODELS,
        "Scatter plots of each model's PSS and signed effect against its unmasked "
        "accuracy, with intervals, families told apart by colour and shape.",
    ),
    "sizes": Entry(
        "Small and large models",
        MODELS,
        "Accuracy, signed effect and PSS against the number of parameters, one line "
        "for each family, with intervals.",
    ),
    "tiers": Entry(
        "Frequent and rare facts",
        MODELS,
        "Accuracy and signed effect by training exposure, tier of the name, category "
        "and origin of the relation, with intervals, for top and random masks.",
    ),
    "trajectory": Entry(
        "Along training",
        MODELS,
        "Accuracy, signed effect and PSS at each checkpoint of a training run, under "
        "top and random masks.",
    ),
    "controls": Entry(
        "Which mask does the damage",
        CONTROLS,
        "Dot plots with intervals: the signed effect of every kind of mask, mean over "
        "models, how far the top mask exceeds each, and the basic masks by model.",
    ),
    "masking_curves": Entry(
        "What masking does, from the weakest to the strongest model",
        CONTROLS,
        "Small multiples of accuracy against mask ratio, for a concept's own questions "
        "and general questions, under top and random masks, with every control mask as "
        "a point at the pre-registered ratio.",
    ),
    "specificity": Entry(
        "Whose mask hurts whom",
        CONTROLS,
        "Heat map of the accuracy lost by each concept's questions under each "
        "concept's mask, sorted by category, and the mean loss of every pair of "
        "categories.",
    ),
    "collateral": Entry(
        "What else masking breaks",
        CONTROLS,
        "Dot plots of the loss on neutral text under every kind of mask, and of what "
        "masking costs concepts that are no knowledge, with intervals.",
    ),
    "vectors": Entry(
        "Where concepts live",
        VECTORS,
        "Map of concepts by value vectors, a mark where a vector is among the "
        "concept's top ones; how many concepts each vector serves; and how much of "
        "each concept lies in each layer.",
    ),
    "efficiency": Entry(
        "How few vectors carry a concept",
        VECTORS,
        "For each model the share of vectors whose removal halves the margin and the "
        "share that suffices to keep half, top against random; and knock-out curves.",
    ),
    "selectors": Entry(
        "Ways to select a concept's vectors",
        VECTORS,
        "For each way of ranking value vectors: the signed effect of masking its top "
        "ones, its recall of planted facts, and its overlap with every other way.",
    ),
    "reliability": Entry(
        "Do two halves of the questions find the same vectors?",
        VECTORS,
        "Dot plot for each way of ranking: overlap of the masks selected on both "
        "halves of a concept's questions, with other concepts of the same and of other "
        "categories, and by chance.",
    ),
    "arms": Entry(
        "What fine-tuning chosen value vectors does",
        CAUSAL,
        "Dot plots with intervals and a tick for every seed: accuracy with and without "
        "options, signed effect of the top mask, accuracy forgotten elsewhere, "
        "semantic entropy and local intrinsic dimension, for each choice of the value "
        "vectors that are trained.",
    ),
    "induced": Entry(
        "What specialisation set in training does to knowledge",
        CAUSAL,
        "Scatter plots of accuracy and of bits per parameter against signed effect, a "
        "point for each model with intervals, mechanisms told apart by colour and "
        "shape and strengths by size, with the fitted line.",
    ),
}
"""Figure name to its entry, in the page's order: a category's figures together."""


def module_of(figure: str) -> str:
    """Dotted name of the module that draws a figure."""
    return f"paraspec.report.figures.{figure}"

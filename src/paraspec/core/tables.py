"""Every table that a step writes: its columns, their types, units and meaning.

A table is described once, here; :func:`checked` holds what is written against it, and
the documentation prints it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from paraspec.core.errors import UserError
from paraspec.core.files import atomic_path, existing

Kind = Literal["text", "category", "integer", "number", "flag"]

DTYPES: Mapping[Kind, str] = {
    "text": "str",
    "category": "category",
    "integer": "int64",
    "number": "float64",
    "flag": "bool",
}


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table's name and its columns, in order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def _table(name: str, *columns: tuple[str, Kind, str]) -> Table:
    return Table(name, tuple(Column(*column) for column in columns))


CONCEPTS = _table(
    "concepts",
    ("concept", "text", "Concept identifier."),
    ("name", "text", "English name."),
    ("category", "category", "Category of the concept."),
    ("tier", "category", "high, mid or low: tercile of the name's Zipf frequency."),
    ("zipf", "number", "Zipf frequency of the name (log10 per 1e9 words)."),
    ("common_word", "flag", "The name is also a common English word."),
    ("exposure", "integer", "Times each fact is met in training; 0: not trained on."),
)

PROMPTS = _table(
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

SETS = _table(
    "sets",
    ("concept", "text", "Concept whose mask is on."),
    ("item", "text", "Item identifier."),
    ("set", "category", "concept, general (evaluated), or conflict (kept out)."),
    ("kinship", "category", "own, same-category or other-category."),
    ("half", "category", "Half under whose mask it is evaluated; - for conflict."),
)

CORPUS = _table(
    "corpus",
    ("concept", "text", "Concept that the sentence is about."),
    ("item", "text", "Item whose fact it states."),
    ("text", "text", "The sentence."),
    ("exposure", "integer", "Times it stands in one pass of training."),
)

TRAINING = _table(
    "training",
    ("step", "integer", "Optimiser steps done."),
    ("loss_nats", "number", "Mean cross-entropy of that step's batch."),
    ("learning_rate", "number", "Learning rate of that step."),
    ("n_tokens", "integer", "Target tokens met so far."),
)

ITEMS = _table(
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
    ("mask", "category", "none, top, top-insample, random or swap."),
    ("ablation", "category", "zero, mean, unrelated-mean or keep; - without a mask."),
    ("draw", "integer", "Draw of a stochastic mask, else 0."),
    ("donor", "category", "Concept whose ranking made the mask; - if none."),
    ("ratio", "number", "Mask ratio: share of each layer's value vectors."),
    ("k", "integer", "Value vectors selected, summed over layers."),
    ("correct", "flag", "The predicted option is the gold one."),
    ("parsed", "flag", "The answer could be read as one of the options."),
    ("margin", "number", "Gold log-likelihood minus the best other option's, nats."),
    ("gold_logprob", "number", "Log-likelihood of the gold option, nats."),
    ("predicted", "integer", "Stored position of the predicted option."),
    ("chance", "number", "One over the number of options."),
    ("floor", "number", "Accuracy of a concept-blind predictor on this item."),
)

PSS = _table(
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
    ("reason", "text", "Why a value is NaN; empty otherwise."),
)

EFFICIENCY = _table(
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
    ("reason", "text", "Why a value is NaN; empty otherwise."),
)


def _interval(name: str, meaning: str) -> tuple[tuple[str, Kind, str], ...]:
    """Three columns: an estimate and the ends of its 95 % interval."""
    return (
        (name, "number", meaning),
        (f"{name}_low", "number", "Lower end of its 95 % interval."),
        (f"{name}_high", "number", "Upper end."),
    )


REASON: tuple[str, Kind, str] = (
    "reason",
    "text",
    "Why a value is NaN; empty otherwise.",
)

MODELS = _table(
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
    ("in_primary", "flag", "Enters the primary correlation: no checkpoint, no MoE."),
    ("source", "text", "Where the model came from."),
    ("n_concepts", "integer", "Concepts."),
    ("n_concept_items", "integer", "Concept items."),
    *_interval("accuracy", "Unmasked accuracy on the concepts' items."),
    ("accuracy_a", "number", "The same on items of half A."),
    ("accuracy_b", "number", "The same on items of half B."),
    ("chance", "number", "Mean accuracy of guessing."),
    ("floor", "number", "Mean accuracy of a concept-blind predictor."),
    ("general_accuracy", "number", "Unmasked accuracy on same-category general items."),
    ("never_seen", "number", "Accuracy on concepts that the model never met."),
    ("never_seen_gap", "number", "accuracy minus never_seen: the positive control."),
    ("primary_ratio", "number", "Pre-registered mask ratio of this model."),
    *_interval("pss", "Cross-fitted same-category PSS at the primary ratio."),
    *_interval("signed", "Signed difference-in-differences, same rows."),
    *_interval("signed_floor", "The same, floor-corrected."),
    ("pss_insample", "number", "PSS of the in-sample mask (the paper's variant)."),
    *_interval("peak_pss", "PSS at the cross-fitted peak ratio."),
    ("peak_ratio", "number", "Mean of the two ratios that the halves chose."),
    *_interval("random_pss", "PSS of the random masks, draws pooled."),
    *_interval("random_signed", "Signed effect of the random masks, draws pooled."),
    ("random_draws", "integer", "Draws of the random mask."),
    *_interval("swap_signed", "Signed effect of another same-category mask."),
    ("n_known", "integer", "Concepts with unmasked accuracy at least 0.7."),
    ("k50_top", "number", "Median k50 of known concepts under the top mask."),
    ("k50_top_censored", "number", "Share of those k50 that are lower bounds."),
    ("k50_random", "number", "Median k50 of known concepts under the random mask."),
    ("k50_random_censored", "number", "Share of those k50 that are lower bounds."),
    ("n_known_shared", "integer", "Concepts known to all models that know half."),
    ("k50_shared_top", "number", "Median top k50 of those; NaN for other models."),
    ("k50_shared_random", "number", "The same under the random mask."),
    REASON,
)

CORRELATIONS = _table(
    "correlations",
    ("id", "text", "Unique key of the row, <effect>.<against>.<halves>.<method>..."),
    ("effect", "text", "pss, signed, signed_floor (of which column)."),
    ("against", "text", "accuracy, log_parameters or accuracy given log_parameters."),
    ("halves", "text", "disjoint: the two from different question halves; or same."),
    ("method", "text", "pearson, spearman, partial, within-family-slope..."),
    ("models", "text", "dense (primary), all (with mixtures of experts)..."),
    ("n", "integer", "Models."),
    ("n_families", "integer", "Families."),
    *_interval("estimate", "The statistic."),
    ("interval", "text", "How the interval was made; range for leave-one-out."),
    ("p", "number", "Two-sided p value."),
    ("descriptive", "flag", "Not for inference (fewer than 8 families)."),
    REASON,
)

ESTIMATES = _table(
    "estimates",
    ("id", "text", "Unique key of the row."),
    ("statistic", "text", "What was computed, in words."),
    ("n", "integer", "Units that the interval speaks of."),
    ("n_unit", "text", "models, checkpoints..."),
    *_interval("estimate", "The statistic."),
    ("interval", "text", "How the interval was made."),
    ("p", "number", "Two-sided bootstrap p value."),
    REASON,
)

TIERS = _table(
    "tiers",
    ("model", "text", "Model, or `(all)`: mean over the primary models."),
    ("mask", "text", "top or random."),
    ("group", "text", "exposure, tier, category or origin (of the relation)."),
    ("level", "text", "Level of the group, or `highest minus lowest`: a contrast."),
    ("n_concepts", "integer", "Concepts."),
    ("n_items", "integer", "Concept items."),
    *_interval("accuracy", "Unmasked accuracy on the concept items."),
    *_interval("signed", "Signed difference-in-differences at the primary ratio."),
    *_interval("pss", "PSS; misleading across levels, see decision 3."),
    REASON,
)

SIZES = _table(
    "sizes",
    ("family", "text", "Model family."),
    ("model", "text", "Model; ordered by parameters within the family."),
    ("n_experts", "integer", "Experts of a layer; 0: not a mixture of experts."),
    ("parameters_total", "integer", "Non-embedding parameters."),
    ("parameters_active", "integer", "Those that one token uses."),
    ("steps", "number", "Training steps; NaN if unknown."),
    ("seed", "number", "Training seed; NaN if unknown."),
    *_interval("accuracy", "Unmasked accuracy on the concepts' items."),
    *_interval("pss", "PSS at the primary ratio."),
    *_interval("signed", "Signed difference-in-differences."),
    *_interval("random_signed", "The same under the random masks."),
    REASON,
)

TRAJECTORY = _table(
    "trajectory",
    ("trajectory_of", "text", "Model that was trained."),
    ("model", "text", "Checkpoint."),
    ("step", "integer", "Training step."),
    ("chance", "number", "Mean accuracy of guessing."),
    *_interval("accuracy", "Unmasked accuracy on the concepts' items."),
    *_interval("pss", "PSS at the primary ratio."),
    *_interval("signed", "Signed difference-in-differences."),
    *_interval("random_pss", "PSS of the random masks."),
    *_interval("random_signed", "Signed effect of the random masks."),
    REASON,
)

CONTROLS = _table(
    "controls",
    ("model", "text", "Model, or `(all)`: mean over the primary models."),
    ("mask", "text", "top, top-insample, random or swap."),
    ("ratio", "number", "Primary ratio; NaN for `(all)`."),
    ("draws", "integer", "Draws or donors, most over concepts."),
    ("n_models", "integer", "Models in the row."),
    ("n_concepts", "integer", "Concepts."),
    *_interval("signed", "Signed difference-in-differences of this mask."),
    *_interval("top_minus", "The top mask's signed effect minus this one's, paired."),
    *_interval("general_change", "General accuracy, masked minus unmasked."),
    *_interval("log_odds", "Item-level GEE: drop in log-odds, concept beyond general."),
    ("pss", "number", "PSS under this mask."),
    ("contains_zero", "flag", "The interval of `signed` contains zero."),
    ("pss_above_015", "flag", "PSS exceeds 0.15 (decision 10 asks how many do)."),
    REASON,
)

CURVES = _table(
    "curves",
    ("model", "text", "Model."),
    ("mask", "text", "top, top-insample, random or swap; each starts at ratio 0."),
    ("set", "text", "concept or general."),
    ("kinship", "text", "own; for general same-category, other-category or all."),
    ("ratio", "number", "Mask ratio; 0: unmasked."),
    ("n_items", "integer", "Answered items, all draws."),
    *_interval("accuracy", "Accuracy."),
    *_interval("margin", "Mean margin, nats."),
)

CLAIMS = _table(
    "claims",
    ("id", "text", "Claim, a key of config/claims.yaml."),
    ("claim", "text", "The claim in words."),
    ("source", "text", "paper or ours, with the section."),
    ("statistic", "text", "What was computed."),
    ("direction", "text", "positive or negative."),
    *_interval("estimate", "Estimate of the statistic."),
    ("p", "number", "Two-sided p value, where the statistic has one."),
    ("n", "integer", "Units that the interval speaks of."),
    ("n_unit", "text", "models, concepts, checkpoints..."),
    ("smallest_effect", "number", "Smallest effect of interest."),
    ("margin", "number", "Equivalence margin: an interval within it says no effect."),
    ("control", "text", "Named control of the claim."),
    *_interval("control_estimate", "Estimate of the control."),
    ("control_passed", "text", "yes, no, unknown, or - without a control."),
    ("verdict", "text", "replicated, partly, not or not testable."),
    ("reason", "text", "Why this verdict, in words."),
)

VERIFY = _table(
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


def checked(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``frame`` with exactly the columns and dtypes of ``table``.

    Raises
    ------
    ValueError
        Where a column is missing or extra: a bug of the step that made the frame.
    """
    missing = [name for name in table.names if name not in frame]
    extra = [name for name in frame if name not in table.names]
    if missing or extra:
        raise ValueError(f"table {table.name}: missing {missing}, unexpected {extra}")
    dtypes = {column.name: DTYPES[column.kind] for column in table.columns}
    return frame[table.names].astype(dtypes)


def write_table(frame: pd.DataFrame, table: Table, path: Path | str) -> None:
    """Check ``frame`` and write it as parquet or CSV, by the path's ending."""
    ready = checked(frame, table)
    with atomic_path(path) as partial:
        if str(path).endswith(".parquet"):
            ready.to_parquet(partial, index=False, compression="zstd")
        else:
            ready.to_csv(partial, index=False, float_format="%.6g")


def read_table(path: Path | str, table: Table) -> pd.DataFrame:
    """Read a table that :func:`write_table` wrote.

    Raises
    ------
    UserError
        Where the file is missing or is not such a table.
    """
    found = existing(path, f"Run the step that writes the {table.name} table first")
    try:
        return checked(_stored(found, table), table)
    except (ValueError, OSError) as error:
        fault = " ".join(str(error).split())
        raise UserError(found, fault, "Delete the file and run again") from error


def _stored(found: Path, table: Table) -> pd.DataFrame:
    """Read a file as it is; in CSV an empty text is no missing value."""
    if found.suffix == ".parquet":
        return pd.read_parquet(found)
    text = {c.name: str for c in table.columns if c.kind in ("text", "category")}
    frame = pd.read_csv(found, dtype=text)
    present = [name for name in text if name in frame]
    return frame.assign(**{name: frame[name].fillna("") for name in present})

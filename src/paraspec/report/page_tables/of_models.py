"""Tables with one row for each model or checkpoint."""

from paraspec.report import numbers
from paraspec.report.inputs import StudyTables
from paraspec.report.page_tables.cells import (
    PageTable,
    estimate,
    figure,
    flag,
    model,
    page_table,
    parameters,
    words,
)


def models_table(tables: StudyTables) -> PageTable:
    """The models at a glance."""
    return page_table(
        "models",
        "Models by accuracy, at each model's pre-registered mask ratio. Signed: what "
        "masking a concept's vectors costs its own questions beyond others of its "
        "category; random: the same under as many random vectors. Small type: 95 % "
        "percentile intervals from resampling concepts.",
        tables.final[::-1],
        {
            "model": model,
            "parameters": parameters,
            "accuracy": estimate("accuracy"),
            "PSS": estimate("pss"),
            "signed": estimate("signed"),
            "signed, random": estimate("random_signed"),
        },
    )


def knowledge_table(tables: StudyTables) -> PageTable:
    """What each model is and knows, with the positive control."""
    return page_table(
        "knowledge",
        "Models by accuracy. Positive control: accuracy on the study's concepts "
        "against concepts that the model never met in training; a gap near zero would "
        "mean that the questions can be answered without the facts. Concept-blind: a "
        "predictor that knows only how often each answer is right.",
        tables.final[::-1],
        {
            "model": model,
            "family": words("family"),
            "steps": figure("steps", numbers.count),
            "seed": figure("seed", numbers.count),
            "concepts": figure("n_concepts", numbers.count),
            "questions": figure("n_concept_items", numbers.count),
            "accuracy": estimate("accuracy"),
            "never seen": figure("never_seen"),
            "gap": figure("never_seen_gap"),
            "concept-blind": figure("floor"),
            "chance": figure("chance"),
            "primary": flag("in_primary"),
        },
        fold="What each model is and knows, with the positive control",
    )


def specialisation_table(tables: StudyTables) -> PageTable:
    """Every measure of specialisation in accuracy, of each model."""
    return page_table(
        "specialisation",
        "Specialisation in accuracy at each model's pre-registered mask ratio, general "
        "questions from the same category; models by accuracy. Peak: the ratio chosen "
        "on the other half of the questions.",
        tables.final[::-1],
        {
            "model": model,
            "mask ratio": figure("primary_ratio", numbers.percent),
            "PSS": estimate("pss"),
            "PSS, random": estimate("random_pss"),
            "PSS, chance-corrected": figure("pss_chance"),
            "PSS, in-sample": figure("pss_insample"),
            "PSS at peak": estimate("peak_pss"),
            "peak ratio": figure("peak_ratio", numbers.percent),
            "signed": estimate("signed"),
            "signed, random": estimate("random_signed"),
            "signed, floor-corrected": estimate("signed_floor"),
        },
        fold="PSS and the signed effect in every variant, model by model",
    )


def known_table(tables: StudyTables) -> PageTable:
    """Specialisation of what a model knows, and of its vectors."""
    return page_table(
        "known",
        "Specialisation of what each model knows. Margins: the signed effect in nats, "
        "without floor or ceiling. Known: only questions answered right without a "
        "mask; by all: those that all models which know at least half of their "
        "concepts answer right. k50 and area under the knock-out curve: median over "
        "the model's known concepts. Selectivity and reliability: mean over concepts.",
        tables.final[::-1],
        {
            "model": model,
            "signed, margins": estimate("signed_margin"),
            "signed, known": estimate("signed_known"),
            "questions known": figure("n_known_items", numbers.count),
            "signed, known by all": estimate("signed_known_by_all"),
            "k50, top": figure("k50_top"),
            "k50, random": figure("k50_random"),
            "area, top": figure("knockout_auc_top"),
            "area, random": figure("knockout_auc_random"),
            "selectivity": figure("selectivity"),
            "reliability": figure("reliability"),
        },
        fold="Margins, known questions and efficiency, model by model",
    )


def sizes_table(tables: StudyTables) -> PageTable:
    """Models by size within family."""
    return page_table(
        "sizes",
        "Size within family. PSS and the signed effect at the pre-registered ratio.",
        tables.sizes,
        {
            "family": words("family"),
            "model": model,
            "parameters": parameters,
            "steps": figure("steps", numbers.count),
            "seed": figure("seed", numbers.count),
            "accuracy": estimate("accuracy"),
            "PSS": estimate("pss"),
            "signed": estimate("signed"),
            "signed, random": estimate("random_signed"),
        },
    )


def trajectory_table(tables: StudyTables) -> PageTable:
    """Checkpoints of the training run."""
    return page_table(
        "trajectory",
        "Along training, at the pre-registered ratio.",
        tables.trajectory,
        {
            "model": words("trajectory_of"),
            "step": figure("step", numbers.count),
            "accuracy": estimate("accuracy"),
            "signed": estimate("signed"),
            "signed, random": estimate("random_signed"),
            "PSS": estimate("pss"),
            "PSS, random": estimate("random_pss"),
        },
    )

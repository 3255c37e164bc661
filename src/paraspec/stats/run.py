"""The statistics across models, from a study's folder to its tables: read, compute,
write. Everything in between works on tables and arrays.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraspec.core.files import write_text
from paraspec.core.layout import StudyFiles
from paraspec.core.table import write_table
from paraspec.core.tables.across_models import (
    COLLATERAL_DAMAGE,
    CONTROLS,
    CORRELATIONS,
    CROSS,
    CURVES,
    ESTIMATES,
    MODELS,
    NON_KNOWLEDGE,
    OVERLAPS,
    SELECTORS,
    SIZES,
    TIERS,
    TRAJECTORY,
)
from paraspec.core.tables.causal import CAUSAL, CAUSAL_RUNS, CONTRASTS
from paraspec.core.tables.induced import INDUCED
from paraspec.stats.causal import Arms, causal_table, contrasts_table
from paraspec.stats.causal_estimates import causal_estimates
from paraspec.stats.causal_runs import Tuned, read_tuned, runs_table
from paraspec.stats.collateral import collateral_table
from paraspec.stats.controls import controls_table
from paraspec.stats.correlations import correlations_table
from paraspec.stats.cross import cross_table
from paraspec.stats.curves import curves_table
from paraspec.stats.estimates import estimates_table
from paraspec.stats.evidence import Evidence, evidence_of, together
from paraspec.stats.evidence_files import write_evidence
from paraspec.stats.groups import tiers_table
from paraspec.stats.headline import Tables, as_json, headline
from paraspec.stats.induced import induced_estimates
from paraspec.stats.induced_table import induced_table
from paraspec.stats.non_knowledge import non_knowledge_table
from paraspec.stats.reading import read_study
from paraspec.stats.selectors import overlaps_table, selectors_table
from paraspec.stats.study import Study
from paraspec.stats.summary import models_table, sizes_table
from paraspec.stats.trajectory import trajectory_table

TABLES = (
    MODELS,
    CORRELATIONS,
    ESTIMATES,
    TIERS,
    SIZES,
    TRAJECTORY,
    CONTROLS,
    SELECTORS,
    OVERLAPS,
    COLLATERAL_DAMAGE,
    CROSS,
    NON_KNOWLEDGE,
    CURVES,
    CAUSAL,
    CONTRASTS,
    CAUSAL_RUNS,
    INDUCED,
)
"""What :func:`write_tables` writes, as ``tables/<name>.csv``."""


@dataclass(frozen=True)
class Computed:
    """What was computed across models."""

    tables: dict[str, pd.DataFrame]
    evidence: dict[str, Evidence]
    """Statistics that claims may name."""


def study_tables(study: Study, tuned: tuple[Tuned, ...] = ()) -> Computed:
    """Compute every table across models, and what claims are judged from.

    Parameters
    ----------
    study
        The models.
    tuned
        Fine-tuned models; none by default.
    """
    models = models_table(study)
    arms = [Arms(each, study.draws, study.seed) for each in tuned]
    correlations = correlations_table(study)
    estimates = together(
        estimates_table(study), causal_estimates(arms), induced_estimates(study)
    )
    tables = {
        "models": models,
        "correlations": correlations.frame,
        "estimates": estimates.frame,
        "tiers": tiers_table(study),
        "sizes": sizes_table(models),
        "trajectory": trajectory_table(study, models),
        "controls": controls_table(study),
        "selectors": selectors_table(study),
        "overlaps": overlaps_table(study),
        "collateral_damage": collateral_table(study),
        "cross": cross_table(study),
        "non_knowledge": non_knowledge_table(study),
        "curves": curves_table(study),
        "causal": causal_table(arms),
        "causal_contrasts": contrasts_table(arms),
        "causal_runs": runs_table(tuned),
        "induced": induced_table(study, models),
    }
    return Computed(tables, evidence_of(correlations, estimates))


def write_tables(results: Path, found: Computed) -> None:
    """Write tables, evidence and ``headline.json``, each as it is described."""
    files = StudyFiles(results)
    for table in TABLES:
        write_table(found.tables[table.name], table, files.table(f"{table.name}.csv"))
    write_evidence(found.evidence, files)
    names = ("models", "correlations", "estimates", "controls")
    numbers = headline(Tables(*(found.tables[name] for name in names)))
    write_text(files.table("headline.json"), as_json(numbers))


__all__ = ["TABLES", "read_study", "read_tuned", "study_tables", "write_tables"]

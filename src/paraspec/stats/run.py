"""The statistics across models, from a study's folder to its tables: read, compute,
write. Everything in between works on tables and arrays.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paraspec.core.files import write_text
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.across_models import (
    CONTROLS,
    CORRELATIONS,
    CURVES,
    ESTIMATES,
    MODELS,
    SIZES,
    TIERS,
    TRAJECTORY,
)
from paraspec.core.tables.judged import CLAIMS
from paraspec.core.tables.measured import ITEMS, MASKS
from paraspec.core.tables.per_model import EFFICIENCY, PSS
from paraspec.core.tables.planned import PROMPTS
from paraspec.stats.claims import Claim
from paraspec.stats.controls import controls_table
from paraspec.stats.correlations import correlations_table
from paraspec.stats.curves import curves_table
from paraspec.stats.estimates import estimates_table
from paraspec.stats.groups import tiers_table
from paraspec.stats.items import summed
from paraspec.stats.metrics import Tables, as_json, metrics
from paraspec.stats.study import (
    Record,
    Study,
    never_seen_accuracy,
    read_card,
    study_of,
)
from paraspec.stats.summary import models_table, sizes_table
from paraspec.stats.trajectory import trajectory_table
from paraspec.stats.verdicts import Kind, claims_table, evidence_of

TABLES = (
    MODELS,
    CORRELATIONS,
    ESTIMATES,
    TIERS,
    SIZES,
    TRAJECTORY,
    CONTROLS,
    CURVES,
    CLAIMS,
)
"""What :func:`write_tables` writes, as ``tables/<name>.csv``."""


def read_study(
    results: Path, models: Sequence[str], draws: int, seed: int, selector: str = ""
) -> Study:
    """Read every model's measurements."""
    files = StudyFiles(results)
    derived = _derived(files)
    names = dict.fromkeys(models)
    records = [_read_record(files, name, derived) for name in names]
    return study_of(records, draws, seed, selector)


def study_tables(
    study: Study, claims: tuple[Claim, ...], path: Path
) -> dict[str, pd.DataFrame]:
    """Compute every table across models, by name.

    Parameters
    ----------
    study
        The models.
    claims
        Pre-registered claims.
    path
        Where they were read, for messages.
    """
    models = models_table(study)
    correlations, estimates = correlations_table(study), estimates_table(study)
    evidence = evidence_of(correlations, estimates)
    return {
        "models": models,
        "correlations": correlations,
        "estimates": estimates,
        "tiers": tiers_table(study),
        "sizes": sizes_table(models),
        "trajectory": trajectory_table(study, models),
        "controls": controls_table(study),
        "curves": curves_table(study),
        "claims": claims_table(claims, evidence, _kind(study), path),
    }


def write_tables(results: Path, found: dict[str, pd.DataFrame]) -> None:
    """Write the tables and ``metrics.json``, each checked against its description."""
    files = StudyFiles(results)
    for table in TABLES:
        path = files.table(f"{table.name}.csv")
        write_table(found[table.name], table, path)
    names = ("models", "correlations", "estimates", "controls", "claims")
    headline = metrics(Tables(*(found[name] for name in names)))
    write_text(files.table("metrics.json"), as_json(headline))


def _kind(study: Study) -> Kind:
    trained = [record.card.trained_on_study for record in study.records]
    return "zoo" if all(trained) else "published"


def _derived(files: StudyFiles) -> set[str]:
    """Items whose answer follows from a city's country, if the study has prompts."""
    path = files.data("prompts.parquet")
    if not path.is_file():
        return set()
    prompts = read_table(path, PROMPTS)
    return set(prompts.loc[prompts["country_derived"], "item"])


def _read_record(files: StudyFiles, model: str, derived: set[str]) -> Record:
    items = read_table(files.measure(model, "items.parquet"), ITEMS)
    unseen = read_table(files.measure(model, "never_seen.parquet"), ITEMS)
    efficiency = files.measure(model, "efficiency.csv")
    return Record(
        card=read_card(files.model(model, "model.json")),
        measured=summed(items, derived),
        pss=read_table(files.measure(model, "pss.csv"), PSS),
        efficiency=read_table(efficiency, EFFICIENCY),
        never_seen=never_seen_accuracy(unseen),
        masks=read_table(files.measure(model, "masks.parquet"), MASKS),
    )

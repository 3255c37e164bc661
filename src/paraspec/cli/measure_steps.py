"""The steps of ``paraspec measure`` that are commands of their own in the workflow."""

import time
from math import ceil
from pathlib import Path

import typer

from paraspec.cli.asking import measuring_code
from paraspec.cli.measure_summary import show
from paraspec.core.config import Asking, ControlsConfig, MeasureConfig
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.measured import ITEMS
from paraspec.core.tables.per_model import EFFICIENCY, PSS
from paraspec.data.factbook.build import build, categories, to_jsonl
from paraspec.data.plan_run import run_plan
from paraspec.data.validate import read_concepts
from paraspec.measure.extract_run import run_extract
from paraspec.measure.score_run import run_score
from paraspec.models.hub.client import repository_info
from paraspec.models.hub.fetch import fetch
from paraspec.models.hub.listing import listing_of
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import (
    HubFacts,
    Manifest,
    describe,
    load_measured,
    read_manifest,
    write_manifest,
)
from paraspec.models.preflight.check import check
from paraspec.stats.efficiency import efficiency_table
from paraspec.stats.items import summed
from paraspec.stats.pss import pss_table

PROSE = Path("data/neutral.txt")
"""Neutral text that control masks are read on, in the checkout."""


def measure_model(
    row: ModelRow,
    files: StudyFiles,
    config: MeasureConfig,
    asking: Asking,
    concept_file: Path,
    n_concepts: int,
    seed: int,
    controls: ControlsConfig | None = None,
) -> None:
    """Take one model from its folder or the hub to the printed summary."""
    started = time.monotonic()
    manifest = obtained(row, files)
    loaded = checked(files, manifest, row.dtype, asking.scorer)
    planned(concept_file, files, n_concepts, config.general_items, seed)
    code = measuring_code("extract")
    run_extract(
        *(loaded, manifest, files, config.batch_rows, asking, code, controls, seed)
    )
    code = measuring_code("score")
    run_score(*(loaded, manifest, files, config, asking, seed, code), controls=controls)
    tabulated(files, row.model, seed)
    show(files, row.model, manifest.parameters_total)
    items = files.measure(row.model, "items.parquet")
    typer.echo(f"{time.monotonic() - started:.0f} s. Every answer: {items}")


def obtained(row: ModelRow, files: StudyFiles) -> Manifest:
    """Describe a local model, or fetch a hub model's revision and describe that.

    What was fetched at the same revision before is not asked for again.
    """
    path = files.model(row.model, "model.json")
    if not row.repository:
        manifest = describe(row, row.model, Path(row.source))
        write_manifest(manifest, path)
        return manifest
    if path.is_file():
        earlier = read_manifest(path)
        if (earlier.source, earlier.revision) == (row.source, row.revision):
            return earlier
    info = repository_info(row.repository, row.revision)
    commit = listing_of(row.repository, info, remote_code=row.remote_code).commit
    listing = fetch(row, commit, path.parent)
    facts = HubFacts(listing.commit, listing.licence)
    manifest = describe(row, row.model, path.parent, fetched=facts)
    write_manifest(manifest, path)
    return manifest


def checked(
    files: StudyFiles, manifest: Manifest, dtype: str, scorer: str
) -> LoadedModel:
    """Load a model and try all that measuring relies on.

    Raises
    ------
    UserError
        Naming the failures of the preflight.
    """
    loaded, _ = load_measured(files, manifest.model, dtype)
    folder = files.model(manifest.model)
    found = check(folder, loaded, needs_letters=scorer == "letters")
    failed = [f"{f.name}: {f.detail}" for f in found.findings if f.outcome == "fail"]
    if failed:
        remedy = f"See paraspec check {folder}"
        raise UserError(manifest.model, "; ".join(failed), remedy)
    typer.echo(
        f"{found.architecture}, {found.n_layers} layers, "
        f"{found.parameters_total:,} parameters, {found.dtype} on {found.device}",
        err=True,
    )
    return loaded


def planned(
    concept_file: Path,
    files: StudyFiles,
    n_concepts: int,
    general_items: int,
    seed: int,
) -> None:
    """Choose concepts and their questions; build the factbook where it is missing."""
    if not concept_file.exists() and concept_file.name == "factbook.jsonl":
        typer.echo(f"building {concept_file}", err=True)
        concept_file.parent.mkdir(parents=True, exist_ok=True)
        concept_file.write_text(to_jsonl(build(categories()).concepts), "utf-8")
    pool = read_concepts(concept_file)
    cells = {(concept.category, concept.tier) for concept in pool}
    per_cell = 0 if n_concepts >= len(pool) else ceil(n_concepts / len(cells))
    told = run_plan(
        *(concept_file, [], files.root, per_cell, general_items, (1,), seed),
        trained=False,
        prose=PROSE if PROSE.is_file() else None,
    )
    typer.echo(told.split(", ")[0], err=True)


def tabulated(files: StudyFiles, model: str, seed: int) -> None:
    """Write ``pss.csv`` and ``efficiency.csv``."""
    items = read_table(files.measure(model, "items.parquet"), ITEMS)
    measured = summed(items)
    write_table(pss_table(measured, seed=seed), PSS, files.measure(model, "pss.csv"))
    efficiency = efficiency_table(measured, summed(items, ablation="keep"))
    write_table(efficiency, EFFICIENCY, files.measure(model, "efficiency.csv"))

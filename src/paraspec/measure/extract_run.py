"""Extracting one model's activations, from files to files."""

import pandas as pd

from paraspec.core.config import Asking, ControlsConfig
from paraspec.core.definitions import primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.measured import VECTORS
from paraspec.core.tables.per_model import OVERLAP, SELECTION
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure.activation_files import save_activations, save_statistics
from paraspec.measure.describe import overlap_frame, selection_frame, vectors_frame
from paraspec.measure.extract import Activations, Membership, extract, membership
from paraspec.measure.method import packing_holds
from paraspec.measure.prepare import added_concepts, prepare
from paraspec.measure.prompts import Prompt
from paraspec.measure.ranked import Rankings
from paraspec.measure.statistics import (
    Statistics,
    extract_statistics,
    shuffled_labels,
)
from paraspec.measure.wording import other_format
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest


def run_extract(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    batch_rows: int,
    asking: Asking,
    controls: ControlsConfig | None = None,
    seed: int = 0,
) -> None:
    """Write one model's activations and statistics, and what they say of concepts.

    Parameters
    ----------
    loaded, manifest
        The model, and what it is.
    files
        The study's files.
    batch_rows
        Prompts of one pass.
    asking
        How items are asked.
    controls
        Control masks that the model will be measured under, if any: they need more
        statistics than the paper's.
    seed
        The study's seed, which permutes labels.
    """
    sets = read_table(files.data("sets.parquet"), SETS)
    table = read_table(files.data("prompts.parquet"), PROMPTS)
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    members = membership(sets, added_concepts(concepts))
    prompts = _in_order(prepare(loaded, table, asking), members)
    with progress(f"extracting {manifest.model}", len(prompts)) as advance:
        found = extract(loaded, prompts, members, batch_rows, advance)
    statistics = None
    if controls is not None:
        reworded = _in_order(prepare(loaded, table, other_format(asking)), members)
        shuffled = [
            shuffled_labels(members, seed, draw)
            for draw in range(controls.draws if "shuffled" in controls.masks else 0)
        ]
        with progress(f"statistics of {manifest.model}", 3 * len(prompts)) as advance:
            statistics = extract_statistics(
                *(loaded, prompts, reworded, members, shuffled, batch_rows, advance),
                packed=packing_holds(loaded, prompts),
            )
    model, dtype = manifest.model, loaded.model.dtype
    save_activations(found, files.measure(model, "activations.safetensors"), dtype)
    save_statistics(statistics, files.measure(model, "statistics.safetensors"), dtype)
    rankings = rankings_of(loaded, manifest, found, statistics)
    _describe(loaded, manifest, files, rankings, concepts)


def rankings_of(
    loaded: LoadedModel,
    manifest: Manifest,
    activations: Activations,
    statistics: Statistics | None,
) -> Rankings:
    """Rankings of a loaded model."""
    return Rankings(
        manifest.model,
        activations,
        loaded.model.device,
        statistics,
        [site.norms.cpu() for site in loaded.sites],
    )


def _describe(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    rankings: Rankings,
    concepts: pd.DataFrame,
) -> None:
    """Write where concepts live, how reliably, and how selectors agree."""
    ratio = primary_ratio(manifest.parameters_total)
    model = manifest.model
    written = {
        "vectors.parquet": (vectors_frame(loaded, model, rankings, ratio), VECTORS),
        "selection.csv": (selection_frame(model, rankings, concepts, ratio), SELECTION),
        "overlap.csv": (overlap_frame(model, rankings, concepts, ratio), OVERLAP),
    }
    for name, (frame, table) in written.items():
        write_table(frame, table, files.measure(model, name))


def _in_order(prompts: dict[str, Prompt], members: Membership) -> list[Prompt]:
    return [prompts[item] for item in members.lines_of]

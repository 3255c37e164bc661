"""Extracting one model's activations, from files to files."""

from collections.abc import Sequence

from paraspec.core.config import Asking, ControlsConfig
from paraspec.core.definitions import primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import write_table
from paraspec.core.tables.measured import VECTORS
from paraspec.core.tables.per_model import OVERLAP, SELECTION
from paraspec.measure.activation_files import save_activations, save_statistics
from paraspec.measure.describe import overlap_frame, selection_frame, vectors_frame
from paraspec.measure.extract import Activations, extract
from paraspec.measure.method import packing_holds
from paraspec.measure.prepare import Planned
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
    model, dtype = manifest.model, loaded.model.dtype
    study = Planned.read(files)
    prompts = study.prompts(loaded, asking)
    activations = read_activations(loaded, model, study, prompts, batch_rows)
    statistics = None
    if controls is not None:
        shuffles = controls.draws if "shuffled" in controls.masks else 0
        reworded = study.prompts(loaded, other_format(asking))
        statistics = read_statistics(
            loaded, model, study, prompts, reworded, batch_rows, shuffles, seed
        )
    path = files.measure(model, "activations.safetensors")
    save_activations(activations, path, dtype)
    save_statistics(statistics, files.measure(model, "statistics.safetensors"), dtype)
    rankings = rankings_of(loaded, manifest, activations, statistics)
    _describe(loaded, manifest, files, rankings, study)


def read_activations(
    loaded: LoadedModel,
    model: str,
    study: Planned,
    prompts: Sequence[Prompt],
    batch_rows: int,
) -> Activations:
    """Run every question once, and average coefficients."""
    with progress(f"extracting {model}", study.members.n_read) as advance:
        return extract(loaded, prompts, study.members, batch_rows, advance)


def read_statistics(
    loaded: LoadedModel,
    model: str,
    study: Planned,
    prompts: Sequence[Prompt],
    reworded: Sequence[Prompt],
    batch_rows: int,
    shuffles: int,
    seed: int,
) -> Statistics:
    """Run every question in both formats and with gradients; see ``run_extract``.

    ``reworded`` are the questions in the other format, ``shuffles`` is how often labels
    are permuted.
    """
    shuffled = [shuffled_labels(study.members, seed, draw) for draw in range(shuffles)]
    packed = packing_holds(loaded, prompts)
    with progress(f"statistics of {model}", 3 * study.members.n_read) as advance:
        return extract_statistics(
            *(loaded, prompts, reworded, study.members, shuffled, batch_rows, advance),
            packed=packed,
        )


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
    study: Planned,
) -> None:
    """Write where concepts live, how reliably, and how selectors agree."""
    ratio = primary_ratio(manifest.parameters_total)
    model, concepts = manifest.model, study.concepts
    written = {
        "vectors.parquet": (vectors_frame(loaded, model, rankings, ratio), VECTORS),
        "selection.csv": (selection_frame(model, rankings, concepts, ratio), SELECTION),
        "overlap.csv": (overlap_frame(model, rankings, concepts, ratio), OVERLAP),
    }
    for name, (frame, table) in written.items():
        write_table(frame, table, files.measure(model, name))

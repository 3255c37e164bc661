"""Extracting one model's activations, from files to files."""

import logging
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from paraspec.core.config import Asking, ControlsConfig
from paraspec.core.definitions import primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import write_table
from paraspec.core.tables.measured import VECTORS
from paraspec.core.tables.per_model import OVERLAP, SELECTION
from paraspec.measure.activation_files import (
    known_by,
    load_activations,
    load_statistics,
    save_activations,
    save_statistics,
)
from paraspec.measure.describe import overlap_frame, selection_frame, vectors_frame
from paraspec.measure.extract import Activations, Membership, extract
from paraspec.measure.marks import part_marks, run_facts
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

logger = logging.getLogger(__name__)


def run_extract(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    batch_rows: int,
    asking: Asking,
    code: str,
    controls: ControlsConfig | None = None,
    seed: int = 0,
) -> None:
    """Write one model's activations and statistics, and what they say of concepts.

    What an earlier run read of a concept is taken over, if nothing has changed that it
    depends on.

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
    code
        Hash of the code that reads; what other code read is not taken over.
    controls
        Control masks that the model will be measured under, if any: they need more
        statistics than the paper's.
    seed
        The study's seed, which permutes labels.
    """
    study = Planned.read(files)
    reader = _Reader(loaded, manifest, study, asking, batch_rows, code)
    activations = files.measure(manifest.model, "activations.safetensors")
    reader.write_activations(activations)
    statistics = files.measure(manifest.model, "statistics.safetensors")
    if controls is None:
        save_statistics(None, statistics)
    else:
        reader.write_statistics(statistics, controls, seed)
    # As stored: scoring ranks by these numbers too.
    found = load_activations(activations), load_statistics(statistics)
    rankings = rankings_of(loaded, manifest, *found)
    _describe(loaded, manifest, files, rankings, study)


@dataclass(frozen=True)
class _Reader:
    """A model and a study's questions; reads what an earlier run has not."""

    loaded: LoadedModel
    manifest: Manifest
    study: Planned
    asking: Asking
    batch_rows: int
    code: str

    @cached_property
    def prompts(self) -> list[Prompt]:
        """Every question that enters a sum."""
        return self.study.prompts(self.loaded, self.asking)

    def write_activations(self, path: Path) -> None:
        """Write the file of activations."""
        marks = self._marks([self.study.members], self.prompts)
        known = known_by(path, marks)
        found = read_activations(
            *(self.loaded, self.manifest.model, self.study, self.prompts),
            self.batch_rows,
            load_activations(path).of(known) if known else None,
        )
        _note("activations", marks, known)
        save_activations(found, path, self.loaded.model.dtype, marks)

    def write_statistics(self, path: Path, controls: ControlsConfig, seed: int) -> None:
        """Write the file of statistics that control masks need."""
        members = self.study.members
        n_shuffles = controls.draws if "shuffled" in controls.masks else 0
        shuffled = [shuffled_labels(members, seed, draw) for draw in range(n_shuffles)]
        reworded = self.study.prompts(self.loaded, other_format(self.asking))
        marks = self._marks([members, *shuffled], self.prompts, reworded)
        earlier = load_statistics(path) if (known := known_by(path, marks)) else None
        found = read_statistics(
            *(self.loaded, self.manifest.model, self.study, self.prompts, reworded),
            self.batch_rows,
            shuffled,
            earlier.of(known) if earlier else None,
        )
        _note("statistics", marks, known)
        save_statistics(found, path, self.loaded.model.dtype, marks)

    def _marks(
        self, labels: Sequence[Membership], *asked: Sequence[Prompt]
    ) -> dict[str, str]:
        facts = run_facts(
            *(self.loaded, self.manifest, self.asking, self.batch_rows, self.code)
        )
        return part_marks(facts, labels, *asked)


def _note(what: str, marks: Sized, known: Sized) -> None:
    n, taken = len(marks) - len(known), len(known)
    logger.info("%s of %d concepts read, of %d taken over", what, n, taken)


def read_activations(
    loaded: LoadedModel,
    model: str,
    study: Planned,
    prompts: Sequence[Prompt],
    batch_rows: int,
    earlier: Activations | None = None,
) -> Activations:
    """Run every question once, and average coefficients; see :func:`extract`."""
    n = study.members.n_read(earlier.concepts if earlier else ())
    with progress(f"extracting {model}", n) as advance:
        return extract(loaded, prompts, study.members, batch_rows, advance, earlier)


def read_statistics(
    loaded: LoadedModel,
    model: str,
    study: Planned,
    prompts: Sequence[Prompt],
    reworded: Sequence[Prompt],
    batch_rows: int,
    shuffled: Sequence[Membership] = (),
    earlier: Statistics | None = None,
) -> Statistics:
    """Run every question in both formats and with gradients.

    See :func:`extract_statistics`.
    """
    packed = packing_holds(loaded, prompts)
    n = 3 * study.members.n_read(earlier.concepts if earlier else ())
    with progress(f"statistics of {model}", n) as advance:
        return extract_statistics(
            *(loaded, prompts, reworded, study.members, shuffled, batch_rows, advance),
            earlier,
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

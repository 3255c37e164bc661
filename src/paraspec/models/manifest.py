"""``model.json``: what a measured model is, and where its folder lies."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from paraspec.core.definitions import Mechanism
from paraspec.core.files import existing, sha256_of, write_text
from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow
from paraspec.models.load import LoadedModel, count_parameters, load_model
from paraspec.models.sites import value_vector_sites
from paraspec.models.skeleton import skeleton

READ = (".safetensors", ".json", ".txt", ".model", ".jinja", ".py", ".tiktoken")
OURS = ("model.json", "check.json")
"""Files beside a model that describe it."""


@dataclass(frozen=True)
class Trajectory:
    """Place of a checkpoint in a training run."""

    of: str
    step: int


@dataclass(frozen=True)
class StoredFile:
    """A file of a model folder."""

    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Facts about a model that later steps need."""

    model: str
    family: str
    source: str
    folder: str
    """Model folder; ``.`` where the manifest itself lies."""
    architecture: str
    """Hugging Face ``model_type``."""
    n_experts: int
    parameters_total: int
    parameters_active: int
    d_model: int
    n_layers: int
    d_ff: list[int]
    """Value vectors of each site, all experts'."""
    steps: int
    seed: int
    trajectory: Trajectory | None
    untrained: list[str]
    """Study concepts that a zoo model was not trained on."""
    trained_on_study: bool
    tokens_seen: int
    loss_nats: float | None
    revision: str
    """Hub only: branch, tag or commit of the model table."""
    commit: str
    """Hub only: what the revision stood for when it was locked."""
    licence: str
    """Hub only: licence that the model card names."""
    remote_code: bool
    """Whether Python files of the folder are run."""
    files: dict[str, StoredFile]
    """What the model is loaded from."""
    mechanism: Mechanism = ""
    """What changed specialisation in training; nothing of it remains in the folder."""
    strength: float = 0.0
    baseline: str = ""
    """Model trained alike without the mechanism."""

    @property
    def weights_sha256(self) -> dict[str, str]:
        """Hashes of the weights by file name."""
        return {
            name: file.sha256
            for name, file in self.files.items()
            if name.endswith(".safetensors")
        }


@dataclass(frozen=True)
class TrainingFacts:
    """What only the training step knows."""

    untrained: list[str]
    trajectory: Trajectory | None
    steps: int
    n_tokens: int
    loss_nats: float | None
    """None before the first step."""


@dataclass(frozen=True)
class HubFacts:
    """What only the fetching step knows."""

    commit: str
    licence: str


def describe(
    row: ModelRow,
    name: str,
    folder: Path,
    trained: TrainingFacts | None = None,
    fetched: HubFacts | None = None,
) -> Manifest:
    """Describe a model folder from its configuration and files, without loading it.

    Raises
    ------
    UserError
        If the folder is no causal language model whose value vectors can be told.
    """
    model = skeleton(folder, remote_code=row.remote_code)
    sites = value_vector_sites(model)
    parameters = count_parameters(model)
    config = model.config.get_text_config()
    return Manifest(
        model=name,
        family=row.family,
        source=row.source,
        folder="." if trained or fetched else str(folder),
        architecture=config.model_type,
        n_experts=max(site.n_experts if site.routed else 0 for site in sites),
        parameters_total=parameters.total,
        parameters_active=parameters.active,
        d_model=config.hidden_size,
        n_layers=len({site.layer for site in sites}),
        d_ff=[site.n for site in sites],
        steps=trained.steps if trained else row.trajectory_step or row.steps,
        seed=row.seed,
        trajectory=trained.trajectory if trained else _published_place(row),
        untrained=trained.untrained if trained else [],
        trained_on_study=trained is not None,
        tokens_seen=trained.n_tokens if trained else 0,
        loss_nats=trained.loss_nats if trained else None,
        revision=row.revision,
        commit=fetched.commit if fetched else "",
        licence=fetched.licence if fetched else "",
        remote_code=row.remote_code,
        files=_stored(folder),
        mechanism=row.mechanism,
        strength=row.strength,
        baseline=row.baseline,
    )


def _published_place(row: ModelRow) -> Trajectory | None:
    if not row.trajectory_of:
        return None
    return Trajectory(row.trajectory_of, row.trajectory_step)


def _stored(folder: Path) -> dict[str, StoredFile]:
    """Files of a folder that a model can be loaded from, but our own and pickles."""
    return {
        path.name: StoredFile(path.stat().st_size, sha256_of(path))
        for path in sorted(folder.iterdir())
        if path.suffix in READ and path.name not in OURS
    }


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write ``model.json``."""
    write_text(path, json.dumps(asdict(manifest), indent=1) + "\n")


def read_manifest(path: Path) -> Manifest:
    """Read ``model.json``."""
    found = existing(path, "Train or register the model first")
    values = json.loads(found.read_text(encoding="utf-8"))
    if values["trajectory"]:
        values["trajectory"] = Trajectory(**values["trajectory"])
    values["files"] = {n: StoredFile(**file) for n, file in values["files"].items()}
    return Manifest(**values)


def load_measured(
    files: StudyFiles, model: str, dtype: str
) -> tuple[LoadedModel, Manifest]:
    """Load a model of a study by its manifest."""
    folder = files.model(model)
    manifest = read_manifest(folder / "model.json")
    place = model_place(folder)
    return load_model(place.folder, dtype, remote_code=place.remote_code), manifest


@dataclass(frozen=True)
class Place:
    """Where a model is loaded from, and how far it is trusted."""

    folder: Path
    remote_code: bool


def model_place(folder: Path) -> Place:
    """Where the model itself lies: there, or where the manifest there says."""
    path = folder / "model.json"
    if not path.is_file():
        return Place(folder, remote_code=False)
    manifest = read_manifest(path)
    # An absolute path stands for itself.
    return Place(folder / manifest.folder, manifest.remote_code)

"""``model.json``: what a measured model is, and where its folder lies."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from paraspec.core.config import ModelRow
from paraspec.core.files import existing, sha256_of, write_text
from paraspec.core.layout import StudyFiles
from paraspec.models.load import LoadedModel, count_parameters, load_model


@dataclass(frozen=True)
class Trajectory:
    """Place of a checkpoint in a training run."""

    of: str
    step: int


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
    weights_sha256: dict[str, str]


@dataclass(frozen=True)
class TrainingFacts:
    """What only the training step knows."""

    untrained: list[str]
    trajectory: Trajectory | None
    steps: int
    n_tokens: int
    loss_nats: float


def describe(
    row: ModelRow,
    name: str,
    loaded: LoadedModel,
    folder: Path,
    facts: TrainingFacts | None,
) -> Manifest:
    """Describe a saved model folder."""
    parameters = count_parameters(loaded.model)
    config = loaded.model.config.get_text_config()
    return Manifest(
        model=name,
        family=row.family,
        source=row.source,
        folder="." if row.source == "zoo" else str(folder),
        architecture=config.model_type,
        n_experts=max(site.n_experts if site.routed else 0 for site in loaded.sites),
        parameters_total=parameters.total,
        parameters_active=parameters.active,
        d_model=config.hidden_size,
        n_layers=len({site.layer for site in loaded.sites}),
        d_ff=[site.n for site in loaded.sites],
        steps=facts.steps if facts else 0,
        seed=row.seed,
        trajectory=facts.trajectory if facts else None,
        untrained=facts.untrained if facts else [],
        trained_on_study=facts is not None,
        tokens_seen=facts.n_tokens if facts else 0,
        loss_nats=facts.loss_nats if facts else None,
        weights_sha256={
            p.name: sha256_of(p) for p in sorted(folder.glob("*.safetensors"))
        },
    )


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write ``model.json``."""
    write_text(path, json.dumps(asdict(manifest), indent=1) + "\n")


def read_manifest(path: Path) -> Manifest:
    """Read ``model.json``."""
    found = existing(path, "Train or register the model first")
    values = json.loads(found.read_text(encoding="utf-8"))
    if values["trajectory"]:
        values["trajectory"] = Trajectory(**values["trajectory"])
    return Manifest(**values)


def load_measured(
    files: StudyFiles, model: str, dtype: str
) -> tuple[LoadedModel, Manifest]:
    """Load a model of a study by its manifest."""
    folder = files.model(model)
    manifest = read_manifest(folder / "model.json")
    return load_model(model_folder(folder), dtype), manifest


def model_folder(folder: Path) -> Path:
    """Where the model itself lies: there, or where the manifest there says."""
    path = folder / "model.json"
    if not path.is_file():
        return folder
    return folder / read_manifest(path).folder  # an absolute path stands for itself

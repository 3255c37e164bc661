"""Fine-tuning the arms of one model and measuring each: files to files."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd
import torch
import transformers

from paraspec.causal.arms import pooled_activations
from paraspec.causal.columns import snapshot
from paraspec.causal.finetune import Diverged, Tuned, restored
from paraspec.causal.lesson import Lesson, lesson_of
from paraspec.causal.measured import Subject
from paraspec.causal.store import ArmStore
from paraspec.causal.sweep import Training
from paraspec.causal.written import Written
from paraspec.core.config import Asking, CausalConfig
from paraspec.core.files import sha256_of, sha256_text
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import read_table
from paraspec.core.tables.causal import (
    ARM_ITEMS,
    FREE_ANSWERS,
    UNTRAINED_ARM,
    ArmName,
)
from paraspec.core.tables.planned import CORPUS
from paraspec.measure.activation_files import load_activations
from paraspec.measure.extract_run import rankings_of
from paraspec.measure.prepare import Planned
from paraspec.measure.store import fingerprint
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest

logger = logging.getLogger(__name__)


def run_arms(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    config: CausalConfig,
    asking: Asking,
    batch_rows: int,
    seed: int,
    code: str,
) -> None:
    """Fine-tune every arm with every seed, and write what that does.

    Parameters
    ----------
    loaded, manifest
        The model, and what it is.
    files
        The study's files; ``extract`` has measured the model.
    config
        Arms, steps, sweep and free answers.
    asking
        How questions with options are asked.
    batch_rows
        Rows of one forward pass.
    seed
        The study's seed.
    code
        Hash of the code; runs of other code are not taken over.
    """
    model, study = manifest.model, Planned.read(files)
    corpus = read_table(files.data("corpus.parquet"), CORPUS)
    lesson = lesson_of(study, corpus, config.concepts, seed)
    path = files.measure(model, "activations.safetensors")
    earlier = rankings_of(loaded, manifest, load_activations(path), None)
    pooled = pooled_activations(
        loaded, model, study, lesson.concepts, asking, batch_rows
    )
    subject = Subject.of(
        loaded, manifest, study, lesson, earlier, asking, batch_rows
    )
    training = Training(
        subject,
        snapshot(loaded.model),
        rankings_of(loaded, manifest, pooled, None),
        config,
    )
    mark = fingerprint(
        {
            "weights": manifest.weights_sha256,
            "activations": sha256_of(path),
            "lesson": sha256_text(repr(lesson)),
            "tables": [sha256_text(f.to_csv()) for f in (study.table, study.sets)],
            "config": config.model_dump_json(exclude={"arms", "seeds"}),
            "asking": [asking.scorer, asking.chat, asking.config.model_dump_json()],
            "run": [batch_rows, seed, code],
            "model": [str(loaded.model.dtype), loaded.model.device.type],
            "libraries": [torch.__version__, transformers.__version__],
        }
    )
    store = ArmStore(files.causal(model), mark)
    arms: list[ArmName] = [a for a in config.arms if a != UNTRAINED_ARM]
    runs = [(UNTRAINED_ARM, 0), *((arm, s) for arm in arms for s in range(config.seeds))]
    course = _Course(training, Written.of(subject, config, seed), store)
    with progress(f"fine-tuning {model}, runs", len(runs)) as advance:
        for arm, number in runs:
            course.run(arm, number)
            advance(1)
    names = [f"{arm}-{number}" for arm, number in runs]
    swept = [f"{arm}-sweep" for arm in arms]
    whole = dict.fromkeys(("arms.csv", "items.parquet", "answers.parquet"), names)
    store.finish({**whole, "sweep.csv": swept})


@dataclass(frozen=True)
class _Course:
    """Runs one arm after the other, and keeps what is finished."""

    training: Training
    written: Written
    store: ArmStore

    def run(self, arm: ArmName, seed: int) -> None:
        """Train and measure one arm with one seed, unless that is done."""
        name = f"{arm}-{seed}"
        if self.store.has(name):
            return
        about = {"model": self.training.subject.manifest.model, "arm": arm, "seed": seed}
        made, rate, fault = self._trained(arm, seed)
        items, answers = _nothing(ARM_ITEMS), _nothing(FREE_ANSWERS)
        development = float("nan")
        if made is not None or arm == UNTRAINED_ARM:
            development, _ = self.training.development()
            items = self.training.subject.items().assign(arm=arm, seed=seed)
            answers = self.written.answers(self._layer()).assign(**about)
        k = sum(int(v.sum()) for v in self.training.vectors(arm, seed))
        row = about | _facts(made) | {"k": k, "learning_rate": rate, "reason": fault}
        row |= {"development": development, "lid_layer": self._layer()}
        row |= {"steps": self.training.config.steps if made else 0}
        frames = {"items.parquet": items, "answers.parquet": answers}
        self.store.write(name, {"arms.csv": pd.DataFrame([row]), **frames})

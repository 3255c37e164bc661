"""Fine-tuning the arms of one model and measuring each: files to files."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pandas as pd

from paraspec.causal.arms import pooled_activations
from paraspec.causal.columns import snapshot
from paraspec.causal.finetune import Diverged, Tuned
from paraspec.causal.lesson import lesson_of
from paraspec.causal.measured import Subject
from paraspec.causal.store import ArmStore, nothing_of
from paraspec.causal.sweep import SWEPT_SEED, Training
from paraspec.causal.written import Written
from paraspec.core.config import Asking, CausalConfig
from paraspec.core.files import sha256_of, sha256_text
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import read_table
from paraspec.core.tables.causal import (
    ARM_ITEMS,
    FREE_ANSWERS,
    KNOWN,
    NEW,
    NORM_ARM,
    RANDOM_ARM,
    SPECIFIC_ARM,
    SWEEP,
    UNTRAINED_ARM,
    ArmName,
)
from paraspec.core.tables.planned import CORPUS
from paraspec.measure.activation_files import load_activations
from paraspec.measure.extract_run import rankings_of
from paraspec.measure.marks import fingerprint, run_facts
from paraspec.measure.prepare import Planned
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest

NO_NORM = f"{SPECIFIC_ARM} or {RANDOM_ARM} was not trained, whose updates it needs"


def run_arms(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    config: CausalConfig,
    asking: Asking,
    batch_rows: int,
    seed: int,
    code: str,
    *,
    new_facts: bool = False,
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
    new_facts
        Teach facts that the model never met, in place of known ones.

    Raises
    ------
    UserError
        Before anything is trained: if there are too few concepts, an arm would train no
        value vector of a layer, or there is no such judge.
    """
    model, study = manifest.model, Planned.read(files)
    corpus = read_table(files.data("corpus.parquet"), CORPUS)
    never_met = manifest.untrained if new_facts else None
    lesson = lesson_of(study, corpus, config.concepts, seed, never_met)
    path = files.measure(model, "activations.safetensors")
    earlier = rankings_of(loaded, manifest, load_activations(path), None)
    pooled = rankings_of(
        loaded,
        manifest,
        pooled_activations(loaded, model, study, lesson.concepts, asking, batch_rows),
        None,
    )
    subject = Subject.of(loaded, manifest, study, lesson, earlier, asking, batch_rows)
    mark = _fingerprint(subject, config, sha256_of(path), seed, code)
    store = ArmStore(files.causal(model), mark)
    before = snapshot(loaded.model)
    training = Training(subject, before, pooled, config, store.checkpoints)
    arms, seeds = config.trained_arms, range(config.seeds)
    for arm in arms:
        training.vectors(arm, SWEPT_SEED)
    runs = [(UNTRAINED_ARM, 0), *((arm, s) for arm in arms for s in seeds)]
    written = Written.of(subject, config, seed)
    course = _Course(training, written, store, written.layer())
    with progress(f"fine-tuning {model}, runs", len(runs)) as advance:
        for arm, number in runs:
            course.run(arm, number)
            advance(1)
    names = [run_name(*run) for run in runs]
    whole = dict.fromkeys(("arms.csv", "items.parquet", "answers.parquet"), names)
    store.finish({**whole, "sweep.csv": [sweep_name(arm) for arm in arms]})


def _fingerprint(
    subject: Subject, config: CausalConfig, activations: str, seed: int, code: str
) -> str:
    """Hash of all that a run depends on, its arm and seed apart."""
    study, whole = subject.study, {"models", "new_facts", "arms", "seeds"}
    facts = run_facts(
        *(subject.loaded, subject.manifest, subject.asking, subject.batch_rows, code)
    )
    own = {
        "activations": activations,
        "lesson": sha256_text(repr(subject.lesson)),
        "tables": [sha256_text(f.to_csv()) for f in (study.table, study.sets)],
        "config": config.model_dump_json(exclude=whole),
        "seed": seed,
    }
    return fingerprint(facts | own)


@dataclass(frozen=True)
class _Course:
    """Runs one arm after the other, and keeps what is finished."""

    training: Training
    written: Written
    store: ArmStore
    layer: int
    """Layer of LID, chosen before any training."""

    def run(self, arm: ArmName, seed: int) -> None:
        """Train and measure one arm with one seed, unless that is done."""
        name = run_name(arm, seed)
        if self.store.has(name):
            return
        rate, made, fault = self._trained(arm, seed)
        run = self._described(arm, seed, rate, made).assign(reason=fault)
        items, answers = nothing_of(ARM_ITEMS), nothing_of(FREE_ANSWERS)
        if not fault:
            run["development"], _ = self.training.development()
            items = self.training.subject.items().assign(arm=arm, seed=seed)
            answers = self.written.answers(self.layer)
            answers = answers.assign(model=run["model"].iloc[0], arm=arm, seed=seed)
        found = {"items.parquet": items, "answers.parquet": answers}
        self.store.write(name, {"arms.csv": run, **found})

    def _described(
        self, arm: ArmName, seed: int, rate: float, made: Tuned | None
    ) -> pd.DataFrame:
        """Row of ``arm_runs`` that says what was trained, and how."""
        subject = self.training.subject
        vectors = self.training.vectors(arm, seed)
        about = {
            "model": subject.manifest.model,
            "arm": arm,
            "seed": seed,
            "facts": NEW if subject.lesson.new else KNOWN,
            "learning_rate": rate,
            "steps": self.training.config.steps if made else 0,
            "k": sum(int(layer.sum()) for layer in vectors),
            "development": float("nan"),
            "lid_layer": self.layer,
        }
        return pd.DataFrame([{**about, **_facts(made)}])

    def _trained(self, arm: ArmName, seed: int) -> tuple[float, Tuned | None, str]:
        """Learning rate, what training was, and why it failed; nothing if untrained."""
        rate = float("nan")
        if arm == UNTRAINED_ARM:
            self.training.untrained()
            return rate, None, ""
        swept = self._swept(arm)
        chosen = swept.loc[swept["chosen"], "learning_rate"]
        if chosen.empty:
            tried = "; ".join(
                f"{r.learning_rate:g} {r.reason}" for r in swept.itertuples()
            )
            return rate, None, f"no learning rate is left: {tried or NO_NORM}"
        rate = float(chosen.iloc[0])
        try:
            return rate, self.training.train(arm, seed, rate), ""
        except Diverged as failure:
            return rate, None, str(failure)

    def _swept(self, arm: ArmName) -> pd.DataFrame:
        """An arm's tried learning rates, tried now unless that is done."""
        name = sweep_name(arm)
        if not self.store.has(name):
            found = (
                self._norm_matched() if arm == NORM_ARM else self.training.sweep(arm)
            )
            self.store.write(name, {"sweep.csv": found})
        return self.store.read(name, "sweep.csv")

    def _norm_matched(self) -> pd.DataFrame:
        """Tries of the arm whose update is to be as long as the specific arm's."""
        specific, random = (
            self.store.read(run_name(arm, SWEPT_SEED), "arms.csv").iloc[0]
            for arm in (SPECIFIC_ARM, RANDOM_ARM)
        )
        if specific["reason"] or random["reason"]:
            return nothing_of(SWEEP)
        wanted = float(specific["update_norm"])
        first = float(random["learning_rate"]) * wanted / float(random["update_norm"])
        return self.training.matched_norm(NORM_ARM, first, wanted)


def run_name(arm: ArmName, seed: int) -> str:
    """Name of an arm's run in the store."""
    return f"{arm}-{seed}"


def sweep_name(arm: ArmName) -> str:
    """Name of an arm's sweep in the store."""
    return f"{arm}-sweep"


def _facts(made: Tuned | None) -> Mapping[str, object]:
    """Columns of ``arm_runs`` that say what training was.

    A model that nothing was trained of is as it was, bit for bit.
    """
    if made is None:
        untrained = {"n_tokens": 0, "trained": 0, "update_norm": 0.0}
        losses = dict.fromkeys(("first_loss", "last_loss"), float("nan"))
        return untrained | losses | {"untouched_equal": True}
    return asdict(made)

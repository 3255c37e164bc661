# Configuration, names and small helpers that several rule files share. Paths in rules
# are relative to the study's folder, results/<study>; `root()` leads to the checkout.
import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from paraspec.cli.main import entry_point
from paraspec.core.checksums import REPAIRING, record, refuse_changed
from paraspec.core.closure import (
    code_hash,
    code_parts,
    environment_hash,
    libraries,
)
from paraspec.core.config import check_study, parse_study
from paraspec.core.errors import UserError
from paraspec.core.model_lock import locked_commit, read_lock
from paraspec.core.model_table import checkpoint_name, read_models
from paraspec.core.needs import needs_of
from paraspec.core.run_state import refuse_readonly, settle_clocks
from paraspec.core.step_parts import remember

BASE = Path(workflow.basedir)
LOCK = BASE / "envs/requirements.lock"
CONFIG_FILE = Path(
    (workflow.config_settings.configfiles or ["config/miniature.yaml"])[-1]
).absolute()


def load_study():
    """Validated configuration, model table and locked commits, or one message."""
    try:
        study = parse_study(config, "configuration")
        rows = read_models(BASE / study.models)
        check_study(study, rows)
        locked = read_lock(BASE / study.models)
        commits = {
            row.model: locked_commit(BASE / study.models, row)
            for row in rows
            if row.repository and row.model in locked
        }
    except UserError as error:
        raise WorkflowError(str(error)) from None
    return study, {row.model: row for row in rows}, commits


STUDY, ROWS, COMMITS = load_study()
TRACED = STUDY.zoo.trajectory_model
CHECKPOINTS = {
    checkpoint_name(TRACED, step): TRACED for step in STUDY.zoo.trajectory_steps
}
TRAINED = [name for name, row in ROWS.items() if row.source == "zoo"]
HUB = [name for name, row in ROWS.items() if row.repository]
LOCAL = [name for name in ROWS if name not in TRAINED and name not in HUB]
MEASURED = [*ROWS, *CHECKPOINTS]

PARTS_OF = {}
"""Hash of code or libraries to a function that lists its parts."""

# Rules run the package of this checkout: with the Python that runs Snakemake or, where
# a site deploys with conda, with that of the rule's environment.
BY_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
PYTHON = "python" if BY_CONDA else shlex.quote(sys.executable)
SOURCES = shlex.quote(str(BASE / "src"))
shell.prefix(
    f"export PYTHONPATH={SOURCES}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
    f'paraspec() {{{{ {PYTHON} -m paraspec "$@"; }}}}; set -euo pipefail; '
)


def study_folder():
    """Where the study's files lie, unless `--directory` says otherwise.

    A job that is submitted by a run with that option starts in the folder itself.
    """
    folder = Path("results", STUDY.study)
    started_there = not (folder / ".snakemake").is_dir()
    return "." if started_there and not workflow.is_main_process else str(folder)


def root(path):
    """A file of the checkout, seen from the study's folder."""
    return os.path.relpath(BASE / path)


def row_of(wildcards):
    """Row of the model table that a measured model or checkpoint stands on."""
    return ROWS[CHECKPOINTS.get(wildcards.model, wildcards.model)]


def scorer_of(wildcards):
    return row_of(wildcards).scorer


def asking_of(wildcards):
    """Templates and shots as JSON, where the scorer uses them."""
    row = row_of(wildcards)
    used = row.scorer in ("letters", "generate", "cloze-pmi")
    return STUDY.asking.model_dump_json() if used else "{}"


def chat_of(wildcards):
    return "--chat" if row_of(wildcards).chat else ""


def controls_of(wildcards):
    """Option with the control masks of a model that gets them, else nothing."""
    controls = STUDY.measure.controls
    if wildcards.model not in controls.models:
        return ""
    chosen = controls.model_dump_json(exclude={"models", "cross_model"})
    return f"--controls {shlex.quote(chosen)}"


def cross_of(wildcards):
    model = STUDY.measure.controls.cross_model
    return "--cross" if wildcards.model == model else ""


def grid_of(wildcards):
    """Mask ratios and draws of a model; a trajectory's checkpoints may have fewer."""
    measure, name = STUDY.measure, wildcards.model
    if not (name in CHECKPOINTS or ROWS[name].trajectory_of):
        return measure
    changed = {"random_draws": measure.checkpoint_draws or measure.random_draws}
    if few := measure.checkpoint_ratios:
        changed |= {"ratios": few, "general_ratios": few, "keep_ratios": ()}
    return measure.model_copy(update=changed)


def keep_of(grid):
    """Option with the shares of keep-only ablation, where there is any."""
    return f"--keep-ratios {listed(grid.keep_ratios)}" if grid.keep_ratios else ""


def dtype_of(wildcards):
    return row_of(wildcards).dtype


def recipe_of(wildcards):
    """What makes the model: any change of it trains, fetches or describes it anew."""
    return row_of(wildcards).recipe


def commit_of(wildcards):
    """Commit that a hub model is locked to; empty as long as it is not locked."""
    return COMMITS.get(wildcards.model, "")


def lock_models():
    """Lock the hub models that this run fetches, where their rows are new.

    Their jobs take `commit` from here: Snakemake asks for parameters anew before a job
    starts.
    """
    fetched = {
        job.wildcards.model
        for job in workflow.dag.needrun_jobs()
        if job.rule.name == "fetch_model"
    }
    if fetched - set(COMMITS):
        from paraspec.models.hub.resolve import resolve

        try:
            locked = resolve(BASE / STUDY.models)
        except UserError as error:
            raise WorkflowError(str(error)) from None
        COMMITS.update({row.model: row.commit for row in locked})


def mend_clocks():
    """Have no file that a job of this run reads lie in the future."""
    read = {Path(path) for job in workflow.dag.needrun_jobs() for path in job.input}
    for path in settle_clocks(sorted(read)):
        logger.info(
            f"{path} had a time in the future, as of another clock; now it has not"
        )


def refuse_faulty():
    """Stop where a finished file has other bytes than when its job ended.

    Else its readers would take it for a changed input and run on it.
    """
    if not workflow.is_main_process or os.environ.get(REPAIRING):
        return
    try:
        refuse_readonly(Path())
        refuse_changed(Path(), can_be_made, os.path.relpath(CONFIG_FILE, BASE))
    except UserError as error:
        raise WorkflowError(str(error)) from None


def can_be_made(path):
    return any(rule.is_producer(path) for rule in workflow.rules)


def record_files():
    """Record the checksums of what this run and those before it have finished."""
    jobs = list(workflow.dag.jobs)
    outputs = (str(file) for job in jobs for file in job.output)
    whole = any(job.rule.name == "all" for job in jobs)
    try:
        Path("causal").mkdir(exist_ok=True)  # DVC's stage names it, if arms ran or not
        record(Path(), outputs, whole=whole)
    except OSError as error:
        logger.error(f"Checksums were not recorded: {error}. The next run does it.")


def needs(step, quantity):
    """Resource function: what a step needs for its model, more at each attempt."""

    def quantity_of(wildcards, attempt):
        found = needs_of(row_of(wildcards), step)
        return getattr(found, quantity) * (1 if quantity == "gpu" else attempt)

    return quantity_of


def growing(amount):
    """Resource function of a step that is no model's: more at each attempt."""
    return lambda wildcards, attempt: amount * attempt


def code_of(command, only=""):
    """Hash of the code that a command runs; see paraspec.core.closure."""
    found = code_hash(*entry_point(command), only)
    PARTS_OF[found] = lambda: code_parts(*entry_point(command), only)
    return found


def env_of(command, only=""):
    """Hash of the locked libraries that a command uses."""
    found = environment_hash(*entry_point(command), LOCK, only)
    PARTS_OF[found] = lambda: libraries(*entry_point(command), LOCK, only)
    return found


def keep_parts():
    """Keep what the hashes stand for, so that `paraspec why` can name what changed."""
    remember(Path(), {found: parts() for found, parts in PARTS_OF.items()})


def listed(values):
    """Numbers as one command-line word."""
    return ",".join(f"{value:g}" for value in values)


def one_of(names):
    """Wildcard constraint for these names; matches nothing where there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"

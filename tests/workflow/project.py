"""A real project of its own: the checkout's files, the smoke study, git and DVC."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.workflow.conftest import BASE, MODELS, Study

WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
NOTHING = "Nothing to be done"
PARTS = ("models", "measure", "causal", "tables", "figures")
CONCEPTS = "data/concepts.jsonl\n    do"


@dataclass(frozen=True)
class Project:
    """A folder with the checkout's files, whose commands use its own package."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results/smoke"

    @property
    def config(self) -> Path:
        return self.folder / "config/smoke.yaml"

    def run(self, *command: str, fails: bool = False, **environment: str) -> str:
        """Run a module's command and return what it said."""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PYTHONPATH": str(self.folder / "src"), "PATH": programs}
        found = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=os.environ | own | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        told = found.stdout + found.stderr
        assert bool(found.returncode) == fails, told
        assert "Traceback" not in told or not fails, told
        return told

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        command = ("snakemake", "--cores", "2", "--configfile", "config/smoke.yaml")
        return self.run(*command, *arguments, fails=fails)

    def paraspec(self, *command: str, fails: bool = False, **environment: str) -> str:
        of = ("--configfile", "config/smoke.yaml")
        return self.run("paraspec", *command, *of, fails=fails, **environment)

    def git(self, *command: str) -> str:
        return subprocess.run(
            ["git", *WHO, *command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def clone(self, folder: Path) -> "Project":
        self.git("clone", "-q", str(self.folder), str(folder))
        return Project(folder)

    def bytes(self) -> dict[str, bytes]:
        """Every recorded output of the study."""
        files = (self.results / part for part in PARTS)
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for folder in files
            for path in folder.rglob("*")
            if path.is_file()
        }


def make_project(folder: Path, finished: Study) -> Project:
    """The checkout and the finished study as a user would have them.

    Snakemake's notes are made anew (``--touch``), as the study lies elsewhere now.
    """
    project = Project(folder)
    _copy_checkout(folder)
    _configure(project, finished)
    shutil.copytree(
        finished.results, project.results, ignore=shutil.ignore_patterns(".snakemake")
    )
    project.snakemake("--touch", "--forceall")
    project.git("init", "-q", "-b", "main")
    shutil.copytree(project.results / "models/gpt2-s", folder / "my-model")
    project.run("dvc", "add", "-q", "data/concepts.jsonl", "my-model")
    project.commit("A study of mine")
    return project


def _copy_checkout(folder: Path) -> None:
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(
        listed, cwd=BASE, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in {*names} - {"dvc.lock"}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (BASE / name).is_file():
            shutil.copy(BASE / name, folder / name)


def _configure(project: Project, finished: Study) -> None:
    """Name the study's files as they lie in the project, and its stage."""
    folder = project.folder
    (folder / "config/models/smoke.tsv").write_text(MODELS)
    shutil.copy(finished.folder / "concepts.jsonl", folder / "data/concepts.jsonl")
    values = yaml.safe_load(finished.config.read_text())
    values["seed"] = 0
    values["models"] = "config/models/smoke.tsv"
    values["concepts"]["file"] = "data/concepts.jsonl"
    project.config.write_text(yaml.safe_dump(values))
    stages = folder / "dvc.yaml"
    text = stages.read_text().replace("miniature", "smoke")
    stages.write_text(text.replace("data/factbook.jsonl\n    do", CONCEPTS))

"""A miniature of the miniature study: two models, nine concepts, real Snakemake."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.models.hub_server import Hub, Repository, serve

BASE = Path(__file__).resolve().parents[2]

MODELS = """\
model\tsource\tfamily\tarchitecture\td_model\tn_layers\tn_heads\td_ff\tn_experts\tsteps\tbatch\tlearning_rate
llama-s\tzoo\tllama\tllama\t16\t1\t2\t32\t0\t40\t32\t0.01
gpt2-s\tzoo\tgpt2\tgpt2\t16\t1\t2\t32\t0\t20\t32\t0.01
"""


MEASURE = {
    "ratios": [0, 0.05, 0.1, 0.2, 0.5],
    "general_ratios": [0, 0.05, 0.1, 0.2],
    "keep_ratios": [0.1, 0.5, 0.9],
    "random_draws": 2,
    "general_items": 20,
    "checkpoint_ratios": [0.05, 0.1],
    "checkpoint_draws": 1,
}
CAUSAL = {
    "models": ["llama-s"],
    "arms": ["PV", "RV"],
    "concepts": 3,
    "seeds": 2,
    "steps": 3,
    "learning_rates": [0.01],
    "samples": 2,
    "neighbours": 5,
}
CONTROLS = {"models": ["gpt2-s"], "cross_model": "gpt2-s", "draws": 2}


@dataclass(frozen=True)
class Study:
    """A study of its own folder, run through the checkout's Snakefile."""

    folder: Path
    base: Path = BASE
    """The checkout."""

    @property
    def config(self) -> Path:
        return self.folder / "smoke.yaml"

    @property
    def table(self) -> Path:
        return self.folder / "models.tsv"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def write(self, **changes) -> None:
        """Write the configuration, with some top-level keys replaced."""
        values = {
            "study": "smoke",
            "models": str(self.table),
            "concepts": {
                "file": str(self.folder / "concepts.jsonl"),
                "per_cell": 1,
                "added": ["data/non_knowledge.jsonl"],
            },
            "zoo": {
                "vocab_size": 900,
                "trajectory_model": "llama-s",
                "trajectory_steps": [0, 20],
            },
            "measure": {**MEASURE, "controls": CONTROLS},
            "causal": CAUSAL,
            "stats": {"draws": 200},
        }
        self.config.write_text(yaml.safe_dump({**values, **changes}))

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the study."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--cores", "2"),
                *("--snakefile", str(self.base / "Snakefile")),
                *("--workflow-profile", str(self.base / "profiles/default")),
                *("--configfile", str(self.config)),
                *("--directory", str(self.results)),
                *arguments,
            ],
            cwd=self.base,
            env=os.environ | {"PYTHONPATH": str(self.base / "src")},
            capture_output=True,
            text=True,
            check=False,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """Rule to number of jobs, from a dry run that succeeds."""
        run = self.snakemake("-n", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return jobs(run.stdout)


def jobs(listing: str) -> dict[str, int]:
    """Rule name to number of jobs, from Snakemake's table of a dry run."""
    found = re.findall(r"^([a-z_]+)\s+(\d+)\s*$", listing, re.MULTILINE)
    return {rule: int(n) for rule, n in found if rule != "total"}


@contextmanager
def changed(path: Path, text: str):
    """Write a file anew, and as it was afterwards."""
    kept = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(kept)


@contextmanager
def edited(path: Path, old: str, new: str):
    """Replace the first ``old`` of a file, for a while."""
    text = path.read_text()
    assert old in text, path
    with changed(path, text.replace(old, new, 1)):
        yield


@pytest.fixture(scope="session")
def study(tmp_path_factory, small_concepts) -> Study:
    """The smoke study's files, not run yet."""
    made = Study(tmp_path_factory.mktemp("smoke"))
    made.table.write_text(MODELS)
    (made.folder / "concepts.jsonl").write_text(small_concepts)
    made.write()
    return made


@pytest.fixture(scope="session")
def finished(study) -> Study:
    """The smoke study after one whole run."""
    run = study.snakemake()
    assert run.returncode == 0, run.stdout + run.stderr
    return study


@pytest.fixture
def hub(loaded, tmp_path_factory, monkeypatch):
    """A hub on loopback that has one tiny model; what is started here asks it."""
    folder = tmp_path_factory.mktemp("tiny")
    model = loaded("llama")
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    made = Hub({"owner/tiny": Repository(files)})
    server = serve(made)
    for name in [name for name in os.environ if name.startswith("HF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def mirrored(finished, tmp_path_factory) -> Study:
    """Copies of the checkout and of the finished study, placed to each other alike."""
    top = tmp_path_factory.mktemp("mirror")
    base, folder = (top / path.relative_to("/") for path in (BASE, finished.folder))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=BASE,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (BASE / name).is_file() and not name.startswith("results/"):
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(BASE / name, base / name)
    shutil.copytree(finished.folder, folder)
    copied = Study(folder, base)
    copied.write()
    return copied

"""Every environment of `envs/` installs the lock's pins, and nothing else."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ENVS = Path("envs")


@pytest.fixture(scope="module")
def made():
    """The script that writes the environments."""
    spec = importlib.util.spec_from_file_location("from_lock", ENVS / "from_lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lock():
    return (ENVS / "requirements.lock").read_text()


def test_the_committed_files_are_what_the_lock_makes(made, lock):
    for name, text in made.environments(lock).items():
        assert (ENVS / name).read_text() == text, "run `make lock`"


def test_conda_has_exactly_the_lock_s_pins(lock):
    pinned = [line for line in lock.splitlines() if line and line[0] != "#"]
    *named, pip = yaml.safe_load((ENVS / "environment.yaml").read_text())[
        "dependencies"
    ]
    assert named == ["python=3.11", "pip"]
    assert pip["pip"] == pinned
    assert all("==" in pin for pin in pinned)


@pytest.mark.parametrize("name", ["Dockerfile", "paraspec.def"])
def test_images_install_torch_first_and_then_the_lock_itself(name, lock):
    text = (ENVS / name).read_text()
    torch = re.search(r"^torch==\S+$", lock, re.MULTILINE).group()
    installed = re.findall(r"pip install (?:--\S+ )*(.+?)(?: \\)?$", text, re.MULTILINE)
    assert installed == [torch, "-r /opt/requirements.lock"]
    assert re.search(r"envs/requirements\.lock /opt/requirements\.lock$", text, re.M)
    assert f" {torch}\n" in Path("Makefile").read_text()


def test_one_changed_pin_changes_every_file_that_lists_it(made, lock):
    other = made.environments(lock.replace("pandas==", "pandas==9."))
    assert other["environment.yaml"] != (ENVS / "environment.yaml").read_text()
    newer = made.environments(re.sub(r"^torch==.*$", "torch==99", lock, flags=re.M))
    assert all("torch==99" in text for text in newer.values())

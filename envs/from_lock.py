"""Write the environments of other tools from the same pins as the lock.

``environment.yaml`` for conda, ``Dockerfile`` and ``paraspec.def`` for containers. The
images hold libraries only: the checkout is mounted, so that an edit needs no new image.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
NOTE = "# Made from requirements.lock by `make lock`; do not edit."
PYTHON = "3.11"
BASE_IMAGE = f"python:{PYTHON}-slim-bookworm"
SYSTEM = "git make"
"""Debian packages that a run uses: git for the commit in the report."""
PIP = "python -m pip install --no-cache-dir --disable-pip-version-check"

CONDA = """\
{note}
name: paraspec
channels:
  - conda-forge
dependencies:
  - python={python}
  - pip
  - pip:
{pins}"""

DOCKER = """\
{note}
# In the checkout: docker build -t paraspec -f envs/Dockerfile .
#   docker run --rm -v "$PWD:/paraspec" paraspec snakemake --cores 2
FROM {image}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends {system} \\
 && rm -rf /var/lib/apt/lists/*
COPY envs/requirements.lock /opt/requirements.lock
RUN {pip} {torch} \\
 && {pip} -r /opt/requirements.lock
ENV PYTHONPATH=/paraspec/src
WORKDIR /paraspec
"""

APPTAINER = """\
{note}
# In the checkout: apptainer build paraspec.sif envs/paraspec.def
#   apptainer exec --bind "$PWD:/paraspec" --pwd /paraspec paraspec.sif \\
#     snakemake --cores 2
Bootstrap: docker
From: {image}

%files
    envs/requirements.lock /opt/requirements.lock

%post
    apt-get update
    apt-get install -y --no-install-recommends {system}
    rm -rf /var/lib/apt/lists/*
    {pip} {torch}
    {pip} -r /opt/requirements.lock

%environment
    export PYTHONPATH=/paraspec/src
"""

TEMPLATES = {
    "environment.yaml": CONDA,
    "Dockerfile": DOCKER,
    "paraspec.def": APPTAINER,
}


def pins(lock: str) -> list[str]:
    """The ``name==version`` lines of a lock."""
    return re.findall(r"^\S+==\S+$", lock, re.MULTILINE)


def environments(lock: str) -> dict[str, str]:
    """File name to text of every environment that is made from a lock."""
    pinned = pins(lock)
    values = {
        "note": NOTE,
        "python": PYTHON,
        "image": BASE_IMAGE,
        "system": SYSTEM,
        "pip": PIP,
        # First and alone, as `make` does it: the lock then finds it there.
        "torch": next(pin for pin in pinned if pin.startswith("torch==")),
        "pins": "".join(f"      - {pin}\n" for pin in pinned),
    }
    return {name: text.format(**values) for name, text in TEMPLATES.items()}


def main() -> None:
    """Write the files beside the lock."""
    lock = (HERE / "requirements.lock").read_text(encoding="utf-8")
    for name, text in environments(lock).items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

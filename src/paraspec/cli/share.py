"""``paraspec push`` and ``pull``: a finished study to and from a DVC remote."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path, typer.Option("--configfile", help="The study's configuration.")
]
MINIATURE = Path("config/miniature.yaml")
NOTHING = "Nothing to be done"
"""What Snakemake says of a finished study."""


def push(configfile: Config = MINIATURE) -> None:
    """Record a finished study in dvc.lock and upload it; run in the checkout."""
    from paraspec.cli.calling import snakemake
    from paraspec.core.checksums import faults
    from paraspec.core.errors import UserError

    root, stage = _ready(configfile, "push")
    for fault in faults(root):
        remedy = f"paraspec doctor --repair --configfile {configfile}"
        raise UserError(root / fault.path, fault.what, f"Rebuild it first: {remedy}")
    planned = snakemake(configfile, "--dry-run")
    if NOTHING not in planned.stdout + planned.stderr:
        remedy = f"Run snakemake --configfile {configfile} first; -n shows what is left"
        raise UserError(root, "the study is not finished", remedy)
    _dvc("commit", "--force", "--with-deps", stage)
    _dvc("push", "--with-deps", stage, *_added())
    typer.echo(f"{root} is at the remote. Now commit dvc.lock and .dvc/config")


def pull(configfile: Config = MINIATURE) -> None:
    """Fetch a study's files as dvc.lock records them; run in the checkout."""
    from paraspec.core.checksums import faults, read_checksums
    from paraspec.core.errors import UserError

    root, stage = _ready(configfile, "pull")
    _dvc("pull", "--with-deps", stage, *_added())
    for fault in faults(root):
        raise UserError(root / fault.path, fault.what, "Fetch it: make pull again")
    typer.echo(f"{root}: {len(read_checksums(root))} files, as their jobs wrote them")


def _ready(configfile: Path, purpose: str) -> tuple[Path, str]:
    """Folder and DVC stage of a study that nobody works on, with a remote set."""
    from paraspec.cli.calling import dvc
    from paraspec.core.config import read_study
    from paraspec.core.errors import UserError
    from paraspec.core.run_state import refuse_unfinished

    study = read_study(configfile).study
    root, stage = Path("results") / study, f"reproduce@{study}"
    if not dvc("remote", "list").stdout.strip():
        remedy = "Set one: dvc remote add -d NAME URL"
        remedy += ". Or run make reproduce" if purpose == "pull" else ""
        raise UserError("DVC", "no remote is set", remedy)
    if stage not in dvc("stage", "list", "--name-only").stdout.split():
        remedy = f"Add '{study}' to the studies in dvc.yaml, beside miniature"
        raise UserError("dvc.yaml", f"no stage {stage}", remedy)
    refuse_unfinished(root, configfile, purpose)
    return root, stage


def _added() -> list[str]:
    """Data and model folders that came in by ``dvc add``, here or one folder down."""
    found = [*Path().glob("*.dvc"), *Path().glob("*/*.dvc")]
    return sorted(str(path) for path in found if path.is_file())


def _dvc(*arguments: str) -> None:
    """Run DVC; what it has to say is shown where it fails."""
    from paraspec.cli.calling import dvc, told
    from paraspec.core.errors import UserError

    run = dvc(*arguments)
    if run.returncode:
        remedy = "Mend the cause and repeat: what has been copied is not copied again"
        raise UserError(
            "dvc " + " ".join(arguments), f"it failed:\n{told(run)}\n", remedy
        )

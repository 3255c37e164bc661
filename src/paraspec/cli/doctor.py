"""``paraspec doctor``: which finished files are no longer what their jobs wrote."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from paraspec.core.checksums import Fault


def doctor(
    configfile: Annotated[
        Path, typer.Option("--configfile", help="The study's configuration.")
    ] = Path("config/miniature.yaml"),
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild these files, nothing else.")
    ] = False,
    cores: Annotated[str, typer.Option("--cores", help="Cores for that.")] = "all",
    before_run: Annotated[
        bool,
        typer.Option("--before-run", help="Speak of faults only; a run goes on next."),
    ] = False,
) -> None:
    """Compare a study's files with their recorded checksums; run in the checkout."""
    from paraspec.core.checksums import read_checksums
    from paraspec.core.config import read_study
    from paraspec.core.errors import UserError

    root = Path("results") / read_study(configfile).study
    if before_run and not _at_rest(root):
        return
    found = _examined(root, configfile)
    for fault in found:
        typer.echo(f"{root / fault.path}: {fault.what}")
    if found and repair:
        _repair(root, [fault.path for fault in found], configfile, cores)
    elif found:
        remedy = f"paraspec doctor --repair --configfile {configfile}"
        files = "1 faulty file" if len(found) == 1 else f"{len(found)} faulty files"
        raise UserError(root, files, f"Rebuild just that: {remedy}")
    elif not before_run:
        n = len(read_checksums(root))
        typer.echo(f"{root}: {n} files are as their jobs wrote them")


def _at_rest(root: Path) -> bool:
    """Whether a run has recorded its files, and none goes on or was broken off."""
    from paraspec.core.checksums import read_checksums
    from paraspec.core.run_state import is_locked, unfinished

    return bool(read_checksums(root)) and not (is_locked(root) or unfinished(root))


def _examined(root: Path, configfile: Path) -> list["Fault"]:
    """Faulty files of a study that is at rest."""
    from paraspec.core.checksums import faults, read_checksums
    from paraspec.core.errors import UserError
    from paraspec.core.run_state import refuse_unfinished

    if not read_checksums(root):
        remedy = (
            f"Run snakemake --configfile {configfile} to its end first; if nothing is "
            f"to be done, delete {root / 'report.html'} and run it again"
        )
        raise UserError(root, "no finished run has recorded its files", remedy)
    refuse_unfinished(root, configfile, "the check")
    found = faults(root)
    return _of_the_study(found, configfile) if found else []


def _of_the_study(found: Sequence["Fault"], configfile: Path) -> list["Fault"]:
    """Leave out files that no rule makes any more, such as a removed model's."""
    from paraspec.cli.calling import snakemake

    listing = snakemake(configfile, "--summary", "--quiet").stdout
    named = {line.split("\t")[0] for line in listing.splitlines()}
    return [fault for fault in found if fault.path in named]


def _repair(root: Path, paths: Sequence[str], configfile: Path, cores: str) -> None:
    """Rebuild these files, and name every file that has other bytes afterwards."""
    from paraspec.core.checksums import read_checksums

    recorded = read_checksums(root)
    _rebuild(root, paths, configfile, cores)
    now = read_checksums(root)
    for path, before in recorded.items():
        if now[path].sha256 != before.sha256:
            typer.echo(f"{root / path}: rebuilt, with other bytes than before")


def _rebuild(root: Path, paths: Sequence[str], configfile: Path, cores: str) -> None:
    """Run the jobs of these files, and no job that only reads them.

    One rule after the other, in the order in which they first ended: when a job starts,
    what it reads is whole again, so that nothing between two of them has to run.
    """
    from paraspec.cli.calling import snakemake, told
    from paraspec.core.errors import UserError
    from paraspec.core.run_state import maker

    made = sorted((maker(root, path), path) for path in paths)
    for path in paths:
        # A job may take over what it finds in its old output.
        (root / path).unlink(missing_ok=True)
    for _, group in groupby(made, key=lambda found: found[0].rule):
        files = [path for _, path in group]
        typer.echo(f"rebuilding {', '.join(str(root / path) for path in files)}")
        run = snakemake(configfile, "--cores", cores, "--force", "--", *files)
        if run.returncode:
            remedy = "Mend the cause; then run paraspec doctor --repair again"
            raise UserError(root, f"the repair failed:\n{told(run)}\n", remedy)

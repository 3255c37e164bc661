"""``paraspec why``: why a file would be made again, or that it would not."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.core.errors import UserError, similar

METADATA = ".snakemake/metadata"


def why(
    file: Annotated[Path, typer.Argument(help="File of results/<study>/.")],
    configfile: Annotated[
        Path | None,
        typer.Option(help="The study's configuration; by default found by its name."),
    ] = None,
) -> None:
    """Say why a file would be made again, or that it would not; in the checkout."""
    from paraspec.cli.dry_run import jobs_for
    from paraspec.cli.why_causes import explained

    if not Path("Snakefile").is_file():
        raise UserError(Path.cwd(), "is no checkout of paraspec", "Go to its folder")
    folder = _study_folder(file)
    config = configfile or _config_of(folder)
    target = file.absolute().relative_to(folder.absolute()).as_posix()
    try:
        jobs = jobs_for(target, config, folder)
    except UserError as error:
        if "MissingRule" not in error.fault:
            raise
        jobs = []
    if not any(target in job.outputs for job in jobs):
        _see_that_it_is_made(target, config, folder)
    for line in explained(target, jobs, folder):
        typer.echo(line)


def _study_folder(file: Path) -> Path:
    """Folder of a study that a file lies in: with a run's record, or of results/."""
    for parent in file.parents:
        if (parent / METADATA).is_dir():
            return parent
    for parent in file.parents:
        if parent.parent.name == "results" and parent.parent != parent:
            return parent
    raise UserError(
        file, "lies in no study's folder", "Name a file of results/<study>/"
    )


def _config_of(folder: Path) -> Path:
    """Configuration of the checkout whose study has a folder's name."""
    from paraspec.core.config import read_study

    names, faulty = {}, {}
    for path in sorted(Path("config").glob("*.yaml")):
        try:
            names[read_study(path).study] = path
        except UserError as error:  # claims.yaml and verify.yaml are no studies
            faulty[path.stem] = error
    if folder.name in faulty and folder.name not in names:
        raise faulty[folder.name]
    if folder.name not in names:
        raise UserError(
            folder,
            f"no configuration in config/ has study: {folder.name}",
            f"Known are {', '.join(names)}; or give --configfile",
        )
    return names[folder.name]


def _see_that_it_is_made(target: str, config: Path, folder: Path) -> None:
    """Refuse a file that no rule of the study makes."""
    from paraspec.cli.dry_run import made_files

    made = made_files(config, folder)
    if target not in made:
        near = similar(target, made)
        remedy = f"Did you mean {', '.join(near)}?" if near else "Name an output"
        raise UserError(folder / target, "no rule of the study makes it", remedy)

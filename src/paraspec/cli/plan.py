"""``paraspec plan``: what a study will ask of machines, before anything runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from paraspec.core.study_plan import ModelPlan

HEADER = ("model", "parameters", "GPUs", "memory", "disk", "GPU hours")


def plan(
    configfile: Annotated[
        Path, typer.Option("--configfile", help="The study's configuration.")
    ] = Path("config/miniature.yaml"),
) -> None:
    """Print jobs, GPU hours, disk and memory of a study; run in the checkout."""
    from paraspec.cli.dry_run import all_jobs
    from paraspec.core.config import check_study, read_study
    from paraspec.core.model_table import read_models
    from paraspec.core.study_plan import study_plan

    study = read_study(configfile)
    models = read_models(study.models)
    check_study(study, models)
    counts = all_jobs(configfile)
    plans = study_plan(study, models)
    _show(plans)
    for line in _totals(plans, counts):
        typer.echo(line)


def _show(plans: Sequence["ModelPlan"]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(HEADER):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for planned in plans:
        table.add_row(*_cells(planned))
    Console(highlight=False, soft_wrap=True).print(table)


def _cells(planned: "ModelPlan") -> tuple[str, ...]:
    from paraspec.report.numbers import parameters

    known = planned.parameters
    return (
        planned.model,
        "small" if known is None else parameters(known),
        str(planned.gpus),
        f"{planned.mem_mb / 1e3:.0f} GB",
        f"{planned.disk_bytes / 1e9:.1f} GB",
        f"{planned.gpu_hours:.1f}",
    )


def _totals(plans: Sequence["ModelPlan"], counts: Mapping[str, int]) -> list[str]:
    by_rule = ", ".join(f"{rule} {n}" for rule, n in sorted(counts.items()))
    disk = sum(planned.disk_bytes for planned in plans) / 1e9
    lines = [
        "",
        f"jobs       {sum(counts.values())}: {by_rule}",
        f"disk       {disk:.1f} GB",
        f"memory     {max(p.mem_mb for p in plans) / 1e3:.0f} GB for the largest job",
    ]
    hours = sum(planned.gpu_hours for planned in plans)
    if not hours:
        return [*lines, "GPU hours  none: every model runs on a CPU"]
    measured = sum(planned.h100_hours for planned in plans)
    return [
        *lines,
        f"GPU hours  {hours:.0f} at most, from which the jobs' time limits are set; at "
        f"the speed measured on one H100, scoring takes {measured:.1f}",
    ]

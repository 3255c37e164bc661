"""``report.html``: one page that stands alone, from tables and figures on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from markupsafe import Markup

from paraspec.core.config import StudyConfig
from paraspec.core.definitions import NONE
from paraspec.core.files import existing
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.judged import CLAIMS, VERIFY
from paraspec.report import page_tables, provenance
from paraspec.report.answer import answer
from paraspec.report.figures import FIGURES
from paraspec.report.inline import inline_svg
from paraspec.report.inputs import StudyTables, read_tables
from paraspec.report.methods import definitions, departures
from paraspec.report.numbers import MISSING, count, interval, number, with_interval
from paraspec.report.page_tables import PageTable

TITLE = "Do value vectors that specialise on concepts go with knowing more?"

CONTENTS = (
    ("claims", "Claims"),
    ("figures", "Figures"),
    ("tables", "Tables"),
    ("methods", "Methods"),
    ("provenance", "Provenance"),
)

SIGNS = {
    "replicated": "\N{CHECK MARK}",
    "partly": "\N{CIRCLE WITH LEFT HALF BLACK}",
    "not": "\N{MULTIPLICATION X}",
    "not testable": "\N{EN DASH}",
}
"""A shape beside the colour and the word of each verdict."""


@dataclass(frozen=True)
class Sources:
    """Files that the page names with their hashes."""

    config: Path
    claims: Path
    factbook: Path


@dataclass(frozen=True)
class Section:
    """A titled table."""

    title: str
    table: PageTable


def page(root: Path, config: StudyConfig, sources: Sources) -> str:
    """Return the page of the study in ``root``.

    Raises
    ------
    UserError
        Where a table, a figure or a source is missing.
    """
    files = StudyFiles(root)
    tables = read_tables(root)
    claims = read_table(files.table("claims.csv"), CLAIMS)
    trained_here = bool((tables.final["source"] == "zoo").all())
    context: dict[str, object] = {
        "title": TITLE,
        "study": config.study,
        "contents": CONTENTS,
        "answer": answer(tables, claims),
        "claims": [_claim(row) for _, row in claims.iterrows()],
        "claims_file": sources.claims.name,
        "edits": _edits(sources.claims),
        "figures": [_figure(name, files, tables) for name in FIGURES],
        "sections": _sections(tables, _verify(files)),
        "definitions": definitions(config),
        "departures": departures(trained_here=trained_here),
    }
    return _render(context | _provenance(root, config, sources, tables))


def _render(context: Mapping[str, object]) -> str:
    templates = package_files("paraspec.report") / "templates"
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source = (templates / "report.html").read_text(encoding="utf-8")
    css = (templates / "report.css").read_text(encoding="utf-8")
    text = environment.from_string(source).render(css=Markup(css), **context)
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _claim(row: pd.Series) -> dict[str, object]:
    """Cells of one claim, as text."""
    texts = {
        name: "" if row[name] == NONE else row[name]
        for name in ("id", "claim", "source", "statistic", "n_unit", "reason")
    }
    passed = "" if row["control_passed"] == NONE else row["control_passed"]
    return texts | {
        "verdict": row["verdict"],
        "css": str(row["verdict"]).replace(" ", "-"),
        "sign": SIGNS[str(row["verdict"])],
        "estimate": number(row["estimate"]),
        "interval": interval(row["estimate_low"], row["estimate_high"]),
        "n": count(row["n"]) if row["n"] else MISSING,
        "smallest": number(row["smallest_effect"]),
        "margin": "" if pd.isna(row["margin"]) else number(row["margin"]),
        "control": "none" if row["control"] == NONE else row["control"],
        "control_value": _control(row),
        "passed": passed,
    }


def _control(row: pd.Series) -> str:
    """Estimate of the control with its interval; empty where there is none."""
    ends = row["control_estimate_low"], row["control_estimate_high"]
    value = with_interval(row["control_estimate"], *ends)
    return "" if value == MISSING else value


def _edits(claims: Path) -> list[str]:
    """Edits that the claims file records about itself (decision 14), one line each."""
    content = yaml.safe_load(existing(claims, "Name it with --claims").read_text())
    edits = content.get("edits") if isinstance(content, dict) else None
    return [
        "; ".join(f"{key}: {value}" for key, value in edit.items())
        if isinstance(edit, dict)
        else str(edit)
        for edit in edits or []
    ]


def _figure(name: str, files: StudyFiles, tables: StudyTables) -> dict[str, object]:
    figure = FIGURES[name]
    path = existing(files.figure(f"{name}.svg"), "Run `paraspec figures` first")
    svg = path.read_text(encoding="utf-8")
    return {
        "name": name,
        "title": figure.title,
        "caption": figure.caption(tables),
        "svg": inline_svg(svg, name, figure.alt),
    }


def _verify(files: StudyFiles) -> pd.DataFrame:
    """Comparison with the reference tables; no rows where none was made."""
    path = files.table("verify.csv")
    if not path.is_file():
        return pd.DataFrame(columns=VERIFY.names)
    return read_table(path, VERIFY)


def _sections(tables: StudyTables, verify: pd.DataFrame) -> list[Section]:
    return [
        Section("Models and the positive control", page_tables.models_table(tables)),
        Section("Specialisation", page_tables.specialisation_table(tables)),
        Section("Controls", page_tables.controls_table(tables)),
        Section("Exposure, tier, category", page_tables.tiers_table(tables)),
        Section("Correlations across models", page_tables.correlations_table(tables)),
        Section("Size within family", page_tables.sizes_table(tables)),
        Section("Along training", page_tables.trajectory_table(tables)),
        Section("Comparison with the reference", page_tables.verify_table(verify)),
    ]


def _provenance(
    root: Path, config: StudyConfig, sources: Sources, tables: StudyTables
) -> dict[str, object]:
    seeds = sorted({int(seed) for seed in tables.models["seed"].dropna()})
    commit = provenance.commit(root)
    named = {
        "configuration": sources.config,
        "claims": sources.claims,
        "concepts": sources.factbook,
    }
    hashes = provenance.inputs(named)
    return {
        "software": provenance.software(),
        "hardware": provenance.hardware(),
        "seeds": [
            ("study seed", str(config.seed)),
            ("training seeds", ", ".join(map(str, seeds)) or "unknown"),
            ("resamples", count(config.stats.draws)),
            ("random masks", f"{config.measure.random_draws} draws"),
        ],
        "hashes": [*hashes, *([("git commit", commit)] if commit else [])],
        "costs": page_tables.costs_table(provenance.rule_costs(root / "benchmarks")),
    }

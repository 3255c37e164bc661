"""``report.html``: one page that stands alone, from tables and figures on disk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from markupsafe import Markup

from paraspec.core.config import StudyConfig
from paraspec.core.files import existing
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.judged import CLAIMS, VERIFY
from paraspec.report import verdicts
from paraspec.report.answer import answer, lead
from paraspec.report.catalogue import CATALOGUE
from paraspec.report.explorer import explorer
from paraspec.report.figures import FIGURES
from paraspec.report.inline import inline_svg
from paraspec.report.inputs import StudyTables, read_tables
from paraspec.report.methods import definitions, departures
from paraspec.report.page_tables import (
    of_arms,
    of_groups,
    of_induced,
    of_masks,
    of_models,
    of_records,
)
from paraspec.report.page_tables.cells import PageTable
from paraspec.report.provenance_record import NAME, Provenance, read_provenance

TITLE = "Do value vectors that specialise on concepts go with knowing more?"

CONTENTS = (
    ("claims", "Claims"),
    ("figures", "Figures"),
    ("explorer", "Models and concepts"),
    ("tables", "Tables"),
    ("methods", "Methods"),
    ("provenance", "Provenance"),
)


@dataclass(frozen=True)
class Section:
    """Tables under one title."""

    title: str
    tables: list[PageTable]


def page(root: Path, config: StudyConfig, claims_file: Path) -> str:
    """Return the page of the study in ``root``.

    Raises
    ------
    UserError
        Where a table, a figure, the claims or ``provenance.json`` is missing.
    """
    files = StudyFiles(root)
    tables = read_tables(root)
    claims = read_table(files.table("claims.csv"), CLAIMS)
    shown = [name for name, figure in FIGURES.items() if figure.shown(tables)]
    trained_here = bool((tables.final["source"] == "zoo").all())
    context: dict[str, object] = {
        "title": TITLE,
        "study": config.study,
        "contents": CONTENTS,
        "lead": lead(tables, claims),
        "answer": answer(tables),
        "groups": verdicts.groups(claims, shown),
        "evidence": of_records.evidence_table(claims),
        "claims_file": claims_file.name,
        "edits": _edits(claims_file),
        "figures": _figures(files, tables, shown),
        "explorer": explorer(root, tables),
        "sections": _sections(tables, _verify(files)),
        "definitions": definitions(config),
        "departures": departures(trained_here=trained_here),
    }
    return _render(context | _provenance(read_provenance(root / NAME)))


def _render(context: Mapping[str, object]) -> str:
    templates = package_files("paraspec.report") / "templates"
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_unbroken,
    )
    source = (templates / "report.html").read_text(encoding="utf-8")
    parts = {
        kind: Markup((templates / f"report.{kind}").read_text(encoding="utf-8"))
        for kind in ("css", "js")
    }
    return environment.from_string(source).render(**parts, **context)


def _unbroken(value: object) -> object:
    """Keep a percent sign on the line of its number, in text that is no markup."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.replace(" %", "\N{NO-BREAK SPACE}%")
    return value


def _edits(claims: Path) -> list[dict[str, str]]:
    """Edits that the claims file records about itself."""
    content = yaml.safe_load(existing(claims, "Name it with --claims").read_text())
    edits = content.get("edits") if isinstance(content, dict) else None
    return [
        {key: str(value) for key, value in edit.items()}
        if isinstance(edit, dict)
        else {"change": str(edit)}
        for edit in edits or []
    ]


def _figures(
    files: StudyFiles, tables: StudyTables, shown: Sequence[str]
) -> dict[str, list[dict[str, object]]]:
    """Figures by category, numbered throughout."""
    found: dict[str, list[dict[str, object]]] = {}
    for place, name in enumerate(shown):
        figure = _figure(name, files, tables) | {"number": place + 1}
        found.setdefault(CATALOGUE[name].category, []).append(figure)
    return found


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
        Section(
            "Models",
            [
                of_models.models_table(tables),
                of_models.knowledge_table(tables),
                of_models.specialisation_table(tables),
                of_models.known_table(tables),
            ],
        ),
        Section(
            "Masks and controls",
            [
                of_masks.kinds_table(tables),
                of_masks.controls_table(tables),
                of_masks.collateral_table(tables),
                of_masks.non_knowledge_table(tables),
                of_masks.selectors_table(tables),
            ],
        ),
        Section("Exposure, tier, category", [of_groups.tiers_table(tables)]),
        Section("Correlations across models", [of_groups.correlations_table(tables)]),
        Section("Size within family", [of_models.sizes_table(tables)]),
        Section("Along training", [of_models.trajectory_table(tables)]),
        *_causal(tables),
        Section("Comparison with the reference", [of_records.verify_table(verify)]),
    ]


def _causal(tables: StudyTables) -> list[Section]:
    """What fine-tuning did and what set specialisation did, where there was any."""
    found: list[PageTable] = []
    if not tables.causal.empty:
        found += [
            of_arms.contrasts_table(tables),
            of_arms.arms_table(tables),
            of_arms.runs_table(tables),
        ]
    if not tables.induced.empty:
        found.append(of_induced.induced_table(tables))
    return [Section("Causal experiments", found)] if found else []


def _measured_on(found: Provenance) -> list[tuple[str, str]]:
    """GPUs and processors that models were checked on, and how many models each."""
    counted = Counter(model.hardware for model in found.models.values())
    return [
        ("models on", f"{hardware} ({n})") for hardware, n in sorted(counted.items())
    ]


def _provenance(found: Provenance) -> dict[str, object]:
    """What the section of that name shows."""
    git = found.git
    commit = f"{git.commit}, changed since" if git.dirty else git.commit
    models = [
        (f"{name}, {model.revision}", model.commit)
        for name, model in found.models.items()
        if model.commit
    ]
    return {
        "software": list(found.software.items()),
        "hardware": [
            *found.hardware.items(),
            *_measured_on(found),
            ("energy", found.energy.note),
        ],
        "seeds": list(found.seeds.items()),
        "hashes": [
            *(
                (f"{of} ({file.file})", file.sha256)
                for of, file in found.inputs.items()
            ),
            *([("git commit", commit)] if commit else []),
            *models,
        ],
        "costs": of_records.costs_table(found.rules),
    }

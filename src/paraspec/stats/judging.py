"""From the evidence on disk to the claims' verdicts: cheap, and the only reader of
``claims.yaml`` among the statistics.
"""

import json
from pathlib import Path
from typing import get_args

import pandas as pd

from paraspec.core.files import existing, write_text
from paraspec.core.layout import StudyFiles
from paraspec.core.table import write_table
from paraspec.core.tables.judged import CLAIMS
from paraspec.stats.claims import read_claims
from paraspec.stats.evidence_files import read_evidence
from paraspec.stats.headline import as_json
from paraspec.stats.verdicts import Verdict, claims_table


def judge_study(results: Path, claims: Path) -> None:
    """Judge a study's claims: ``tables/claims.csv`` and ``tables/metrics.json``.

    Raises
    ------
    UserError
        Where a claim is no claim, or names a statistic that does not exist.
    """
    files = StudyFiles(results)
    judged = claims_table(read_claims(claims), read_evidence(files), claims)
    headline = existing(files.table("headline.json"), "Run `paraspec correlate` first")
    metrics = json.loads(headline.read_text(encoding="utf-8"))
    write_table(judged, CLAIMS, files.table("claims.csv"))
    write_text(files.table("metrics.json"), as_json(metrics | verdict_counts(judged)))


def verdict_counts(claims: pd.DataFrame) -> dict[str, int]:
    """Metrics: how many claims got each verdict."""
    counts = claims["verdict"].value_counts()
    return {
        f"n_claims_{verdict.replace(' ', '_')}": int(counts.get(verdict, 0))
        for verdict in get_args(Verdict)
    }

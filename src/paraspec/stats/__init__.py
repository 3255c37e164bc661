"""Turns answered items into tables of effects, and those into verdicts on claims.

Start at :mod:`paraspec.stats.effects` for the definitions (PSS), at
:mod:`paraspec.stats.run` for the way from a study's folder to its tables.
"""

from paraspec.stats.claims import read_claims
from paraspec.stats.efficiency import efficiency_table
from paraspec.stats.items import summed
from paraspec.stats.pss import pss_table
from paraspec.stats.run import read_study, study_tables, write_tables

__all__ = [
    "efficiency_table",
    "pss_table",
    "read_claims",
    "read_study",
    "study_tables",
    "summed",
    "write_tables",
]

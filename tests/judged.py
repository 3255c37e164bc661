"""Tables of a made-up study with the verdicts on the study's own claims."""

from pathlib import Path

from paraspec.stats.claims import read_claims
from paraspec.stats.run import study_tables
from paraspec.stats.verdicts import claims_table

CLAIMS = Path(__file__).parents[1] / "config" / "claims.yaml"


def judged_tables(study, tuned=()):
    """Every table across models, and ``claims``."""
    return with_verdicts(study_tables(study, tuned))


def with_verdicts(found):
    """Tables that were computed, and ``claims``."""
    verdicts = claims_table(read_claims(CLAIMS), found.evidence, CLAIMS)
    return found.tables | {"claims": verdicts}

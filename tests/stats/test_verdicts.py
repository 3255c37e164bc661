import numpy as np
import pytest
from tests.stats.conftest import CLAIMS

from paraspec.core.errors import UserError
from paraspec.stats.claims import Claim
from paraspec.stats.verdicts import Evidence, claims_table, judge

# Smallest effect .10, margin .05.
TABLE = [
    (0.11, 0.30, "yes", "replicated"),
    (0.11, 0.30, "no", "partly"),
    (0.11, 0.30, "unknown", "partly"),
    (0.10, 0.30, "yes", "partly"),  # touches the smallest effect, is not beyond it
    (0.01, 0.30, "yes", "partly"),
    (0.01, 0.30, "no", "partly"),
    (0.06, 0.09, "yes", "partly"),
    (-0.04, 0.04, "yes", "not"),
    (-0.05, 0.05, "yes", "not"),
    (0.01, 0.04, "yes", "not"),  # excludes 0, but is shown to be negligible
    (-0.30, -0.01, "yes", "not"),
    (-0.04, -0.01, "yes", "not"),
    (-0.01, 0.30, "yes", "not testable"),
    (0.00, 0.30, "yes", "not testable"),
    (-0.30, 0.00, "yes", "not testable"),
    (np.nan, np.nan, "yes", "not testable"),
]


@pytest.mark.parametrize(("low", "high", "control", "verdict"), TABLE)
def test_the_verdict_rule(low, high, control, verdict):
    assert judge(low, high, 0.10, 0.05, control).verdict == verdict


def evidence(low, high, n=12):
    return Evidence((low + high) / 2, low, high, 0.04, n, "models", "words", "")


def claim(**changes):
    values = {
        "id": "one",
        "claim": "It rises.",
        "source": "ours",
        "statistic": "s",
        "smallest_effect": 0.1,
        "margin": 0.05,
        "control": {"name": "random", "statistic": "c", "must": "not_replicate"},
    }
    return Claim(**values | changes)


@pytest.mark.parametrize(
    ("direction", "must", "main", "control", "passed", "verdict"),
    [
        ("positive", "not_replicate", (0.2, 0.4), (-0.1, 0.3), "yes", "replicated"),
        ("positive", "not_replicate", (0.2, 0.4), (0.15, 0.3), "no", "partly"),
        ("positive", "exceed_zero", (0.2, 0.4), (0.01, 0.3), "yes", "replicated"),
        ("positive", "exceed_zero", (0.2, 0.4), (-0.01, 0.3), "no", "partly"),
        ("positive", "exceed_zero", (0.2, 0.4), (np.nan, np.nan), "unknown", "partly"),
        ("negative", "not_replicate", (-0.4, -0.2), (-0.3, 0.1), "yes", "replicated"),
        ("negative", "not_replicate", (-0.4, -0.2), (-0.3, -0.2), "no", "partly"),
        ("negative", "exceed_zero", (0.2, 0.4), (-0.3, -0.1), "yes", "not"),
    ],
)
def test_directions_and_controls(direction, must, main, control, passed, verdict):
    one = claim(
        direction=direction, control={"name": "n", "statistic": "c", "must": must}
    )
    known = {"s": evidence(*main), "c": evidence(*control)}
    row = claims_table((one,), known, "zoo", CLAIMS).iloc[0]
    assert (row["control_passed"], row["verdict"]) == (passed, verdict)
    assert "n = 12 models" in row["reason"]


def test_untestable_claims_say_why():
    plain = Claim(id="x", claim="c", source="s", not_testable="no dates")
    other = claim(id="y", applies_to="published")
    none = Evidence(0.3, np.nan, np.nan, np.nan, 2, "models", "", "fewer than 3 models")
    known = {"s": none, "c": none}
    table = claims_table((plain, other, claim(id="z")), known, "zoo", CLAIMS)
    assert (table["verdict"] == "not testable").all()
    reasons = table["reason"].tolist()
    assert reasons[0] == "no dates"
    assert "published" in reasons[1]
    assert reasons[2] == "fewer than 3 models (n = 2 models)"


def test_an_unknown_statistic_is_named_with_near_ones():
    known = {"pss.accuracy": evidence(0, 1), "c": evidence(0, 1)}
    with pytest.raises(UserError, match=r"claim one, statistic.*'pss.acuracy'"):
        claims_table((claim(statistic="pss.acuracy"),), known, "zoo", CLAIMS)

import numpy as np
import pytest
from scipy import stats
from tests.stats.conftest import CLAIMS

from paraspec.core.errors import UserError
from paraspec.stats.claims import Claim
from paraspec.stats.evidence import Evidence
from paraspec.stats.tails import Student
from paraspec.stats.verdicts import claims_table, judge, judge_absence

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


@pytest.mark.parametrize(
    ("low", "high", "control", "verdict"),
    [
        (-0.02, 0.04, "yes", "replicated"),
        (-0.30, 0.05, "yes", "replicated"),  # harm below the margin, however much gain
        (0.01, 0.04, "yes", "replicated"),  # some, but negligible
        (-0.02, 0.04, "no", "partly"),
        (-0.02, 0.04, "unknown", "partly"),
        (-0.02, 0.08, "yes", "partly"),
        (0.04, 0.10, "yes", "partly"),
        (0.06, 0.08, "yes", "not"),
        (0.06, 0.90, "yes", "not"),
        (0.04, 0.90, "yes", "not testable"),
        (np.nan, np.nan, "yes", "not testable"),
    ],
)
def test_the_rule_of_absence(low, high, control, verdict):
    assert judge_absence(low, high, 0.10, 0.05, control).verdict == verdict


def evidence(low, high, n=12, p=0.04, kinds=("zoo",)):
    middle = (low + high) / 2
    tails = None if np.isnan(low) else Student(middle, (high - low) / 2 / 1.959964)
    words = ("models", "words", "", tails, frozenset(kinds))
    return Evidence(middle, low, high, p, n, *words)


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
    row = claims_table((one,), known, CLAIMS).iloc[0]
    assert (row["control_passed"], row["verdict"]) == (passed, verdict)
    assert "n = 12 models" in row["reason"]


def test_untestable_claims_say_why():
    plain = Claim(id="x", claim="c", source="s", not_testable="no dates")
    other = claim(id="y", applies_to="published")
    few = ("models", "", "fewer than 3 models")
    none = Evidence(0.3, np.nan, np.nan, np.nan, 2, *few, None, frozenset({"zoo"}))
    known = {"s": none, "c": none}
    table = claims_table((plain, other, claim(id="z")), known, CLAIMS)
    assert (table["verdict"] == "not testable").all()
    reasons = table["reason"].tolist()
    assert reasons[0] == "no dates"
    assert "published" in reasons[1]
    assert reasons[2] == "fewer than 3 models (n = 2 models)"


def test_an_unknown_statistic_is_named_with_near_ones():
    known = {"pss.accuracy": evidence(0, 1), "c": evidence(0, 1)}
    with pytest.raises(UserError, match=r"claim one, statistic.*'pss.acuracy'"):
        claims_table((claim(statistic="pss.acuracy"),), known, CLAIMS)


def test_holm_is_over_secondary_claims_and_the_first_keeps_its_p():
    claims = tuple(claim(id=name, statistic=name) for name in "abcd")
    known = {
        name: evidence(0.2, 0.4, p=p)
        for name, p in zip("abcd", (0.03, 0.01, 0.04, 0.02), strict=True)
    }
    plain = Claim(id="x", claim="c", source="s", not_testable="no dates")
    table = claims_table((*claims, plain), known | {"c": known["c"]}, CLAIMS)
    expected = [0.03, 0.03, 0.04, 0.04]
    assert table["p_holm"][:4].tolist() == pytest.approx(expected)
    assert np.isnan(table["p_holm"][4])


@pytest.mark.parametrize("direction", ["positive", "negative"])
def test_equivalence_is_two_sided_and_of_absence_one_sided(direction):
    sign = 1 if direction == "positive" else -1
    ends = sorted((sign * -0.2, sign * 0.04))
    known = {"s": evidence(*ends), "c": evidence(-0.05, 0.05)}
    effect = claim(id="e", direction=direction)
    absence = claim(id="a", direction=direction, asserts="absence")
    table = claims_table((effect, absence), known, CLAIMS).set_index("id")
    z = {at: (at - -0.08) / (0.12 / 1.959964) for at in (-0.05, 0.05)}
    assert table.loc["e", "p_equivalence"] == pytest.approx(stats.norm.cdf(z[-0.05]))
    assert table.loc["a", "p_equivalence"] == pytest.approx(stats.norm.sf(z[0.05]))
    assert table.loc["a", "p_holm"] == pytest.approx(stats.norm.sf(z[0.05]))
    assert table.loc["a", "verdict"] == "replicated"


@pytest.mark.parametrize(
    ("applies_to", "kinds", "testable"),
    [
        ("any", {"zoo", "published"}, True),
        ("zoo", {"zoo"}, True),
        ("published", {"published"}, True),
        ("zoo", {"published"}, False),
        ("zoo", {"zoo", "published"}, False),
        ("published", set(), False),
    ],
)
def test_a_claim_applies_to_what_its_statistic_was_computed_on(
    applies_to, kinds, testable
):
    known = {"s": evidence(0.2, 0.4, kinds=kinds), "c": evidence(-0.1, 0.1)}
    row = claims_table((claim(applies_to=applies_to),), known, CLAIMS).iloc[0]
    assert (row["verdict"] == "replicated") is testable
    assert testable or f"speaks of {applies_to} models" in row["reason"]

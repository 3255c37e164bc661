"""Bad claims files are told; the committed one is complete."""

import pytest
import yaml
from tests.stats.conftest import CLAIMS

from paraspec.core.errors import UserError
from paraspec.stats.claims import read_claims


def test_the_committed_claims_are_complete():
    claims = read_claims(CLAIMS)
    assert len(claims) >= 12
    assert all(one.not_testable or one.control for one in claims)


ONE = {
    "id": "one",
    "claim": "It rises.",
    "source": "ours",
    "statistic": "s",
    "smallest_effect": 0.1,
    "margin": 0.05,
    "control": {"name": "random", "statistic": "c", "must": "not_replicate"},
}


def changed(**changes):
    kept = {k: v for k, v in (ONE | changes).items() if v is not ...}
    return yaml.safe_dump({"claims": [kept]})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (changed(smalest_effect=0.1), ["claim one", "smalest_effect", "Allowed keys"]),
        (changed(direction="up"), ["claim one", "direction", "'positive'"]),
        (changed(margin=0.2), ["claim one", "margin must not exceed"]),
        (changed(margin=-1), ["claim one", "margin", "greater than 0"]),
        (changed(margin="wide"), ["claim one", "margin", "valid number"]),
        (changed(control=...), ["claim one", "needs statistic"]),
        (changed(not_testable="why"), ["claim one", "takes no statistic"]),
        (changed(id="A b"), ["claim A b", "id"]),
        (changed(control={"name": "x"}), ["control.statistic", "must"]),
        (yaml.safe_dump({"claims": [ONE, ONE]}), ["id one occurs more than once"]),
        (yaml.safe_dump({"claims": []}), ["claims", "at least 1"]),
        (yaml.safe_dump({"claims": ["words"]}), ["number 1"]),
        (yaml.safe_dump({"claims": {"a": ONE}}), ["claims", "tuple"]),
        (yaml.safe_dump({"claim": [ONE]}), ["claims", "required"]),
        ("- one", ["top level", "dictionary"]),
        ("", ["top level"]),
        ("claims: [", ["not YAML"]),
    ],
)
def test_bad_claims_name_file_key_fault_and_remedy(tmp_path, text, parts):
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_claims(path)
    for part in ["claims.yaml", *parts]:
        assert part in str(caught.value)


def test_a_missing_claims_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_claims(tmp_path / "claims.yaml")

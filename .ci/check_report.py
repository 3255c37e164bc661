"""Check that the study just run ended in a report with a verdict for every claim."""

import csv
from pathlib import Path

STUDY = Path("results/miniature")
VERDICTS = {"replicated", "partly", "not", "not testable"}


def main() -> None:
    """Compare the claims table with the report."""
    page = (STUDY / "report.html").read_text(encoding="utf-8")
    with (STUDY / "tables/claims.csv").open(encoding="utf-8") as stream:
        claims = list(csv.DictReader(stream))
    assert claims, "claims.csv is empty"
    for claim in claims:
        assert claim["verdict"] in VERDICTS, claim
        assert claim["id"] in page, f"the report lacks claim {claim['id']}"
    print(f"{len(claims)} claims, each with a verdict, stand in the report")  # noqa: T201


if __name__ == "__main__":
    main()

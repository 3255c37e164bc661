"""How often the study's intervals miss, and its claims are believed without cause.

At the study's real numbers: 63 concepts of 10 questions in three categories, general
sets of 50 questions of the same concepts, 18 dense models of four families, 8 of them
with controls. Numbers stand in docs/measures.md:

    python -m benchmarks.error_rates --coverage 1000 --studies 200
"""

import argparse
from collections import Counter

from benchmarks.coverage import Population, coverage
from benchmarks.null_studies import verdicts
from benchmarks.simulated import Design


def main() -> None:
    """Print coverages and the verdicts on studies without specialisation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage", type=int, default=1000, help="Studies repeated.")
    parser.add_argument("--studies", type=int, default=200, help="Claims tables.")
    arguments = parser.parse_args()
    design = Design()
    if arguments.coverage:
        print(coverage(arguments.coverage, design, Population()))
    if arguments.studies:
        found = verdicts(arguments.studies, design)
        for claim, rows in found.groupby("id", sort=False):
            above = (rows["estimate_low"] > 0).mean()
            counts = dict(Counter(rows["verdict"]))
            print(f"{claim}: {counts}, interval above 0 in {above:.3f}")


if __name__ == "__main__":
    main()

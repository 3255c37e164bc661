"""Hand-written tables: tab-separated, with a header, `#` comments and blank lines."""

import csv
from collections.abc import Iterator
from pathlib import Path

BEYOND = "(beyond the last column)"


def records(path: Path) -> Iterator[dict[str, str] | None]:
    """Cells of each row that are not empty; None where a row's count is off."""
    text = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    for values in csv.DictReader(text, delimiter="\t", restkey=BEYOND):
        if None in values.values() or BEYOND in values:
            yield None
        else:
            yield {k: v.strip() for k, v in values.items() if v}

"""Where each step of a study writes, relative to the study's folder.

The workflow's rules spell the same paths out literally; a test compares the two.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StudyFiles:
    """Paths of one study, usually under ``results/<study>``."""

    root: Path

    def data(self, name: str) -> Path:
        """File of the study's own data: ``concepts.parquet``, ``sets.parquet``..."""
        return self.root / "data" / name

    def model(self, model: str, name: str = "") -> Path:
        """Model folder (Hugging Face layout), or a file of it."""
        return self.root / "models" / model / name

    def measure(self, model: str, name: str) -> Path:
        """Measurement of one model: ``items.parquet``, ``pss.csv``..."""
        return self.root / "measure" / model / name

    def part(self, model: str, part: str) -> Path:
        """Answers of a job that had a part of the concepts, e.g. ``2-of-8``."""
        return self.measure(model, f"parts/{part}.parquet")

    def causal(self, model: str, name: str = "") -> Path:
        """What fine-tuning a model did: ``arms.csv``, ``items.parquet``..."""
        return self.root / "causal" / model / name

    def table(self, name: str) -> Path:
        """Table across models."""
        return self.root / "tables" / name

    def figure(self, name: str) -> Path:
        """Figure file."""
        return self.root / "figures" / name

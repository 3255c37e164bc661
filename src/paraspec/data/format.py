"""The concept-file format: one JSON object per line, one concept per object.

``data/factbook.jsonl`` has it, and so has any file that users bring.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Tier = Literal["high", "mid", "low"]
Half = Literal["A", "B"]

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Question(BaseModel):
    """One multiple-choice question about a concept, with cloze statements."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str = Field(description="Unique identifier, `<concept>.<relation>`.")
    relation: str = Field(description="The kind of fact, e.g. `capital`.")
    question: str = Field(description="Natural question; names the concept.")
    options: tuple[str, ...] = Field(description="Four distinct answers.")
    gold: int = Field(ge=0, description="Position of the right answer in `options`.")
    aliases: tuple[str, ...] = Field(
        default=(), description="Other spellings that count as right in free text."
    )
    also_true: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "All other true answers. Where they are listed, a study that trains its "
            "models draws the wrong options anew from the answers of its own concepts."
        ),
    )
    statements: tuple[str, ...] = Field(
        description="At least five cloze prefixes; prefix, space and answer state it."
    )
    half: Half = Field(description="Cross-fitting half: five questions in each.")
    country_derived: bool = Field(
        default=False, description="A city's answer that follows from its country."
    )


class Concept(BaseModel):
    """One concept with its questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    concept: str = Field(pattern=SLUG, description="Unique identifier.")
    name: str = Field(min_length=1, description="English name.")
    category: str = Field(pattern=SLUG, description="E.g. `country`.")
    tier: Tier = Field(description="Tercile of `zipf` within the category.")
    zipf: float = Field(ge=0, description="Zipf frequency of the name (log10 per 1e9).")
    common_word: bool = Field(
        default=False, description="The name is also a common English word."
    )
    entities: tuple[str, ...] = Field(
        default=(), description="Other names whose items share this one's subject."
    )
    questions: tuple[Question, ...] = Field(description="Ten, one for each relation.")

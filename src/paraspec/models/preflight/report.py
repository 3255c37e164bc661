"""What a preflight finds: facts about a model, and findings that pass or fail."""

from dataclasses import dataclass
from typing import Literal

from paraspec.models.architectures import Layout

Outcome = Literal["pass", "warning", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    name: str
    outcome: Outcome
    detail: str
    """Why it failed, or what was seen."""


@dataclass(frozen=True)
class SiteFacts:
    """One site of value vectors."""

    layer: int
    name: str
    layout: Layout
    n_experts: int
    d_ff: int
    routed: bool


@dataclass(frozen=True)
class Letters:
    """How a prompt goes on with each option letter."""

    prompt: str
    tokens: dict[str, tuple[int, ...] | None]
    """Letter to the tokens that it adds; None if it changes the prompt's own."""


@dataclass(frozen=True)
class TextFacts:
    """The tokenizer."""

    tokenizer_class: str
    vocabulary: int
    bos_added: bool
    bos_doubled: bool
    """An encoded text begins with two BOS."""
    written_bos_doubled: bool
    """A text that spells BOS out, as chat templates do, begins with two."""
    eos_appended: bool
    chat_template: bool
    letters: Letters


@dataclass(frozen=True)
class Memory:
    """Estimated bytes for one batch; see :mod:`paraspec.models.preflight.facts`."""

    rows: int
    positions: int
    weights: int
    cache: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """All together."""
        return self.weights + self.cache + self.activations + self.logits


@dataclass(frozen=True)
class Preflight:
    """Everything about one model."""

    folder: str
    architecture: str
    model_class: str
    found_by: Literal["table", "structure"]
    n_layers: int
    d_model: int
    sites: tuple[SiteFacts, ...]
    parameters_total: int
    parameters_active: int
    dtype: str
    device: str
    hardware: str
    """Name of that GPU or processor."""
    attention: str
    experts: str | None
    """Function that runs the experts; None if there are none."""
    context_length: int | None
    text: TextFacts
    memory: Memory
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed; warnings are no failures."""
        return all(finding.outcome != "fail" for finding in self.findings)

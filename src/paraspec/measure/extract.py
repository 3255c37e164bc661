"""Mean absolute coefficients per concept: related halves, and unrelated questions.

Source: paper, section 3 (knowledge vectors masking). Sums are accumulated on the
device, one line per concept; tokens never outlive their batch. Unrelated questions are
all of the study's (added concepts' not among them) but the concept's own, those of its
general set (which are kept for evaluation), and those that share an entity or an answer
with it: the total minus what is excluded.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float

from paraspec.core.errors import UserError
from paraspec.measure.prompts import Prompt, by_length
from paraspec.models.load import LoadedModel
from paraspec.models.taps import Recorded, recorded

HALVES = ("A", "B")


@dataclass(frozen=True)
class Activations:
    """Means over counted tokens, one tensor per layer."""

    concepts: tuple[str, ...]
    related: tuple[Float[torch.Tensor, "concept half neuron"], ...]
    """Mean |coefficient| on the concept's questions of each half."""
    unrelated: tuple[Float[torch.Tensor, "concept neuron"], ...]
    """Mean |coefficient| on unrelated questions."""
    routing: tuple[Float[torch.Tensor, "concept half expert"], ...]
    """Mean routing weight on the concept's questions; 1 in a dense layer."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Value vectors of each layer."""
        return tuple(layer.shape[-1] for layer in self.unrelated)


@dataclass(frozen=True)
class Membership:
    """Which items belong to which running sum, as sparse 0/1 weights.

    Lines are ``2 * concept + half`` for related sums, then one ``excluded`` line per
    concept, then one total.
    """

    concepts: tuple[str, ...]
    lines_of: Mapping[str, tuple[int, ...]]

    @property
    def n_lines(self) -> int:
        """Number of running sums."""
        return 3 * len(self.concepts) + 1


def membership(sets: pd.DataFrame, added: Container[str] = ()) -> Membership:
    """Read from the ``sets`` table which sums every item enters.

    Questions of ``added`` concepts are unrelated to none, so that adding a concept
    changes nothing of another.
    """
    concepts = tuple(dict.fromkeys(sets["concept"]))
    n = len(concepts)
    number = {concept: i for i, concept in enumerate(concepts)}
    own = sets[sets["set"] == "concept"]
    in_total = {
        i for c, i in zip(own["concept"], own["item"], strict=True) if c not in added
    }
    lines: dict[str, list[int]] = {
        item: [3 * n] if item in in_total else [] for item in own["item"]
    }
    for row in sets.itertuples():
        c = number[str(row.concept)]
        if row.item in in_total:
            lines[str(row.item)].append(2 * n + c)
        if row.set == "concept":
            lines[str(row.item)].append(2 * c + HALVES.index(str(row.half)))
    return Membership(concepts, {item: tuple(v) for item, v in lines.items()})


def extract(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    members: Membership,
    batch_rows: int,
    on_batch: Callable[[int], None],
) -> Activations:
    """Run every prompt once and average coefficients per concept.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        Every item of the study.
    members
        Which sums each item enters.
    batch_rows
        Prompts per forward pass.
    on_batch
        Called with the number of prompts done.
    """
    device = loaded.model.device

    def zeros(n: int, place: torch.device) -> Float[torch.Tensor, "line n"]:
        return torch.zeros(members.n_lines, n, dtype=torch.float32, device=place)

    sums = Recorded(  # each where its layer is, which may be on several devices
        [zeros(site.n, site.weight.device) for site in loaded.sites],
        [zeros(site.n_experts, site.weight.device) for site in loaded.sites],
    )
    tokens = zeros(1, device)[:, 0]
    for rows in by_length(prompts, batch_rows):
        chosen = [prompts[i] for i in rows]
        ids = torch.tensor([p.prefix for p in chosen], device=device)
        counted = torch.tensor([p.counted for p in chosen], device=device).float()
        weights = torch.zeros(members.n_lines, len(chosen), device=device)
        for column, prompt in enumerate(chosen):
            weights[list(members.lines_of[prompt.item]), column] = 1
        with torch.inference_mode(), recorded(loaded.sites, counted) as per_row:
            loaded.model(input_ids=ids, use_cache=False, logits_to_keep=1)
        for total, layer in zip(sums.coefficients, per_row.coefficients, strict=True):
            total += weights.to(layer.device) @ layer
        for total, layer in zip(sums.routing, per_row.routing, strict=True):
            total += weights.to(layer.device) @ layer
        tokens += weights @ counted.sum(1)
        on_batch(len(chosen))
    return _means(members.concepts, sums, tokens)


def _means(
    concepts: tuple[str, ...],
    sums: Recorded,
    tokens: Float[torch.Tensor, " line"],
) -> Activations:
    n, tokens = len(concepts), tokens.cpu()
    n_unrelated = tokens[3 * n] - tokens[2 * n : 3 * n]
    if not bool((n_unrelated > 0).all()) or not bool((tokens[: 2 * n] > 0).all()):
        raise UserError(
            "extract",
            "a concept has no related or no unrelated questions left",
            "Add concepts: unrelated questions are those outside its general set",
        )
    if not all(bool(torch.isfinite(layer).all()) for layer in sums.coefficients):
        raise UserError("extract", "coefficients are not finite", "Measure in float32")

    def per_half(layer: Float[torch.Tensor, "line n"]) -> torch.Tensor:
        return (layer[: 2 * n].cpu() / tokens[: 2 * n, None]).view(n, 2, -1)

    def elsewhere(layer: Float[torch.Tensor, "line n"]) -> torch.Tensor:
        layer = layer[2 * n :].cpu()
        return (layer[n] - layer[:n]) / n_unrelated[:, None]

    return Activations(
        concepts,
        related=tuple(map(per_half, sums.coefficients)),
        unrelated=tuple(map(elsewhere, sums.coefficients)),
        routing=tuple(map(per_half, sums.routing)),
    )

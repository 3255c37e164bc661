"""Mean absolute coefficients per concept: related halves, and unrelated questions.

Source: paper, section 3 (knowledge vectors masking). Sums are accumulated on the
device, one line per concept; tokens never outlive their batch. Unrelated questions are
all of the study's (added concepts' not among them) but the concept's own, those of its
general set (which are kept for evaluation), and those that share an entity or an answer
with it: the total minus what is excluded. Each added concept is read apart, in batches
of its own with what is excluded for it, so that no bit of another depends on it, and
what an earlier run read of the others is taken over.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Float

from paraspec.core.errors import UserError
from paraspec.measure.prompts import Prompt, by_length
from paraspec.models.load import LoadedModel
from paraspec.models.taps import recorded

HALVES = ("A", "B")


@dataclass(frozen=True)
class Total:
    """A statistic summed over all questions but added concepts'."""

    sums: tuple[Float[torch.Tensor, " neuron"], ...]
    """One tensor per layer."""
    weight: float
    """Tokens or questions that were summed."""

    def means(self) -> tuple[Float[torch.Tensor, " neuron"], ...]:
        """Means over them, by layer."""
        return tuple(layer / self.weight for layer in self.sums)


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
    total: Total | None = None
    """|Coefficients| over counted tokens; needed only to add concepts."""

    def of(self, concepts: Sequence[str]) -> "Activations":
        """The same of some concepts."""
        rows = [self.concepts.index(concept) for concept in concepts]
        return replace(
            self,
            concepts=tuple(concepts),
            related=picked(self.related, rows),
            unrelated=picked(self.unrelated, rows),
            routing=picked(self.routing, rows),
        )

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
    added: frozenset[str] = frozenset()
    """Concepts whose questions are unrelated to none; the last ones."""

    @property
    def n_lines(self) -> int:
        """Number of running sums."""
        return 3 * len(self.concepts) + 1

    def items(self, line: int) -> set[str]:
        """Items that enter a running sum."""
        return {item for item, lines in self.lines_of.items() if line in lines}

    def parts(self) -> list["Membership"]:
        """What is read together: all but added concepts, then each of these alone.

        Only the first part has a total.
        """
        own = [c for c in self.concepts if c not in self.added]
        alone = [self._of([c], total=False) for c in self.concepts if c in self.added]
        return [self._of(own, total=True), *alone]

    def n_read(self, taken: Container[str]) -> int:
        """Questions that are read, in all parts of concepts that are not taken over."""
        parts = (part for part in self.parts() if part.concepts[0] not in taken)
        return sum(len(part.lines_of) for part in parts)

    def _of(self, chosen: Sequence[str], *, total: bool) -> "Membership":
        """Lines of some concepts, with those items alone that enter any."""
        n, m = len(self.concepts), len(chosen)
        line = {3 * n: 3 * m} if total else {}
        for new, concept in enumerate(chosen):
            old = self.concepts.index(concept)
            line |= {
                2 * old: 2 * new,
                2 * old + 1: 2 * new + 1,
                2 * n + old: 2 * m + new,
            }
        entered = {
            item: tuple(line[i] for i in lines if i in line)
            for item, lines in self.lines_of.items()
        }
        return Membership(tuple(chosen), {i: ls for i, ls in entered.items() if ls})


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
    return Membership(
        concepts,
        {item: tuple(v) for item, v in lines.items()},
        frozenset(c for c in concepts if c in added),
    )


def extract(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    members: Membership,
    batch_rows: int,
    on_batch: Callable[[int], None],
    earlier: Activations | None = None,
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
    earlier
        What an earlier run read of some concepts, whole parts of ``members``: these are
        taken over.
    """
    found = [] if earlier is None else [earlier]
    for part in members.parts():
        if earlier and part.concepts[0] in earlier.concepts:
            continue
        asked = [p for p in prompts if p.item in part.lines_of]
        lines, routing = _read(loaded, asked, part, batch_rows, on_batch)
        total = (found[0].total if found else None) or lines.total()
        means, weights = lines.means(total), routing.related()
        found.append(
            Activations(part.concepts, means.related, means.unrelated, weights, total)
        )
    return Activations(
        tuple(chain.from_iterable(part.concepts for part in found)),
        stacked([part.related for part in found]),
        stacked([part.unrelated for part in found]),
        stacked([part.routing for part in found]),
        found[0].total,
    ).of(members.concepts)


def _read(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    part: Membership,
    batch_rows: int,
    on_batch: Callable[[int], None],
) -> tuple["Lines", "Lines"]:
    """Sums of coefficients and of routing weights over one part's questions."""
    lines = Lines(loaded, part, per_token=True)
    routing = Lines(loaded, part, per_token=True, of="n_experts")
    for rows in by_length(prompts, batch_rows):
        chosen = [prompts[i] for i in rows]
        ids = torch.tensor([p.prefix for p in chosen], device=loaded.model.device)
        counted = torch.tensor([p.counted for p in chosen], device=ids.device).float()
        with torch.inference_mode(), recorded(loaded.sites, counted) as per_row:
            loaded.model(input_ids=ids, use_cache=False, logits_to_keep=1)
        lines.add(chosen, per_row.coefficients)
        routing.add(chosen, per_row.routing)
        on_batch(len(chosen))
    return lines, routing


@dataclass(frozen=True)
class Means:
    """A statistic's means, one tensor per layer."""

    related: tuple[Float[torch.Tensor, "concept half neuron"], ...]
    unrelated: tuple[Float[torch.Tensor, "concept neuron"], ...]


def picked(
    layers: Sequence[Float[torch.Tensor, "concept ..."]], rows: Sequence[int]
) -> tuple[Float[torch.Tensor, "row ..."], ...]:
    """Some concepts' rows of every layer."""
    return tuple(layer[list(rows)] for layer in layers)


def stacked(
    parts: Sequence[Sequence[Float[torch.Tensor, "part ..."]]],
) -> tuple[Float[torch.Tensor, "concept ..."], ...]:
    """Layers of several parts' concepts, in order."""
    return tuple(map(torch.cat, zip(*parts, strict=True)))


class Lines:
    """Running sums of one statistic over the items of each line of a membership.

    Parameters
    ----------
    loaded
        The model; sums lie where its layers are, which may be on several devices.
    members
        Which sums each item enters.
    per_token
        Whether items give sums over their counted tokens; else one value each.
    of
        What a layer's numbers belong to: its value vectors (``n``) or its experts.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        members: Membership,
        *,
        per_token: bool = False,
        of: Literal["n", "n_experts"] = "n",
    ) -> None:
        self._members = members
        self._per_token = per_token
        self._sums = [
            torch.zeros(members.n_lines, getattr(site, of), device=site.weight.device)
            for site in loaded.sites
        ]
        self._weight = torch.zeros(members.n_lines)

    def add(
        self,
        prompts: Sequence[Prompt],
        per_row: Sequence[Float[torch.Tensor, "row n"]],
    ) -> None:
        """Add a batch: one row per prompt, one tensor per layer."""
        enters = torch.zeros(len(self._weight), len(prompts))
        for column, prompt in enumerate(prompts):
            enters[list(self._members.lines_of.get(prompt.item, ())), column] = 1
        for total, rows in zip(self._sums, per_row, strict=True):
            total += enters.to(total.device) @ rows.to(total)
        each = [sum(p.counted) if self._per_token else 1 for p in prompts]
        self._weight += enters @ torch.tensor(each, dtype=torch.float32)

    def related(self) -> tuple[Float[torch.Tensor, "concept half n"], ...]:
        """Means over each concept's own questions, by half."""
        n = len(self._members.concepts)
        weight = self._weight[: 2 * n].view(n, 2)
        layers = (layer[: 2 * n].cpu() for layer in self._sums)
        return tuple(layer.view(n, 2, -1) / weight[:, :, None] for layer in layers)

    def means(self, total: Total) -> Means:
        """Divide by tokens or items.

        Parameters
        ----------
        total
            Sums over all questions but added concepts', of which the unrelated ones are
            what is not excluded.

        Raises
        ------
        UserError
            Where a concept lacks related or unrelated questions, or numbers are not
            finite.
        """
        n = len(self._members.concepts)
        related, elsewhere = self.sizes(total)
        if not bool((elsewhere > 0).all()) or not bool((related > 0).all()):
            raise UserError(
                "extract",
                "a concept has no related or no unrelated questions left",
                "Add concepts: unrelated questions are those outside its general set",
            )
        layers = [layer.cpu() for layer in self._sums]
        if not all(bool(torch.isfinite(layer).all()) for layer in layers):
            fault = "coefficients are not finite"
            raise UserError("extract", fault, "Measure in float32")
        unrelated = (
            (whole - layer[2 * n : 3 * n]) / elsewhere[:, None]
            for whole, layer in zip(total.sums, layers, strict=True)
        )
        return Means(self.related(), tuple(unrelated))

    def sizes(
        self, total: Total
    ) -> tuple[Float[torch.Tensor, "concept half"], Float[torch.Tensor, " concept"]]:
        """Tokens or items behind the related and the unrelated means."""
        n = len(self._members.concepts)
        excluded = self._weight[2 * n : 3 * n]
        return self._weight[: 2 * n].view(n, 2), total.weight - excluded

    def total(self) -> Total:
        """Sums over all questions but added concepts'."""
        return Total(
            tuple(layer[-1].cpu() for layer in self._sums), float(self._weight[-1])
        )

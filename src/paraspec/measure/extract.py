"""Mean absolute coefficients per concept: related halves, and unrelated questions.

Source: paper, section 3 (knowledge vectors masking). Sums are accumulated on the
device, one line per concept; tokens never outlive their batch. Unrelated questions are
all of the study's (added concepts' not among them) but the concept's own, those of its
general set (which are kept for evaluation), and those that share an entity or an answer
with it: the total minus what is excluded.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
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

    def items(self, line: int) -> set[str]:
        """Items that enter a running sum."""
        return {item for item, lines in self.lines_of.items() if line in lines}


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
    lines = Lines(loaded, members, per_token=True)
    routing = Lines(loaded, members, per_token=True, of="n_experts")
    for rows in by_length(prompts, batch_rows):
        chosen = [prompts[i] for i in rows]
        ids = torch.tensor([p.prefix for p in chosen], device=loaded.model.device)
        counted = torch.tensor([p.counted for p in chosen], device=ids.device).float()
        with torch.inference_mode(), recorded(loaded.sites, counted) as per_row:
            loaded.model(input_ids=ids, use_cache=False, logits_to_keep=1)
        lines.add(chosen, per_row.coefficients)
        routing.add(chosen, per_row.routing)
        on_batch(len(chosen))
    found = lines.means()
    return Activations(
        members.concepts, found.related, found.unrelated, routing.means().related
    )


@dataclass(frozen=True)
class Means:
    """A statistic's means, one tensor per layer."""

    related: tuple[Float[torch.Tensor, "concept half neuron"], ...]
    unrelated: tuple[Float[torch.Tensor, "concept neuron"], ...]


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
            enters[list(self._members.lines_of[prompt.item]), column] = 1
        for total, rows in zip(self._sums, per_row, strict=True):
            total += enters.to(total.device) @ rows.to(total)
        each = [sum(p.counted) if self._per_token else 1 for p in prompts]
        self._weight += enters @ torch.tensor(each, dtype=torch.float32)

    def means(self) -> Means:
        """Divide by tokens or items.

        Raises
        ------
        UserError
            Where a concept lacks related or unrelated questions, or numbers are not
            finite.
        """
        n = len(self._members.concepts)
        related, elsewhere = self.sizes()
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
        return Means(
            tuple(
                layer[: 2 * n].view(n, 2, -1) / related[:, :, None] for layer in layers
            ),
            tuple(
                (layer[3 * n] - layer[2 * n : 3 * n]) / elsewhere[:, None]
                for layer in layers
            ),
        )

    def sizes(
        self,
    ) -> tuple[Float[torch.Tensor, "concept half"], Float[torch.Tensor, " concept"]]:
        """Tokens or items behind the related and the unrelated means."""
        n = len(self._members.concepts)
        excluded, total = self._weight[2 * n : 3 * n], self._weight[3 * n]
        return self._weight[: 2 * n].view(n, 2), total - excluded

    def overall(self) -> tuple[Float[torch.Tensor, " n"], ...]:
        """Means over all items of the study, by layer."""
        total = self._weight[-1]
        return tuple((layer[-1] / total).cpu() for layer in self._sums)

"""What further selectors rank by: more statistics of a model's value vectors.

Each is a contrast like the paper's: means over a concept's questions of each half, and
over unrelated questions. Attributions are derivatives of the gold answer's log-odds by
*gates*, one per value vector, that multiply its coefficient at every token: a mask is
a gate of 0. At gates of 1 the derivative is coefficient times gradient, summed over
tokens (attribution patching, Nanda 2023); averaged over gates from 0 to 1 it is
integrated gradients (Sundararajan et al. 2017), whose sum over all value vectors is
what masking them all costs (but for jumps where a router's choice of experts changes).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import torch
from jaxtyping import Float

from paraspec.core.seeds import generator
from paraspec.measure.extract import Lines, Means, Membership, Total, picked, stacked
from paraspec.measure.layout import Batch
from paraspec.measure.prompts import Prompt, by_length
from paraspec.measure.scoring import option_logprobs
from paraspec.models.load import LoadedModel
from paraspec.models.taps import Slots, gated, tapped

GATES = tuple((i + 0.5) / 8 for i in range(8))
"""Midpoints of the path from 0 to 1."""

PerRow = list[Float[torch.Tensor, "row neuron"]]
"""A statistic of each question, one tensor per layer."""

READ = ("question", "square", "last-token", "signed")
"""Statistics of one forward pass: mean |coefficient| over a question's tokens and its
square, |coefficient| at the last token, mean coefficient with its sign."""

BY_GRADIENT = ("attribution", "integrated-gradients")
"""Statistics that need the model's derivatives."""


def shuffled_name(draw: int) -> str:
    """Name of the contrast between questions whose labels were permuted."""
    return f"shuffled-{draw}"


@dataclass(frozen=True)
class Statistics:
    """Further statistics of one model."""

    concepts: tuple[str, ...]
    means: Mapping[str, Means]
    """Contrast by name: those of READ and BY_GRADIENT, ``cross-format``,
    ``shuffled-<draw>``."""
    totals: Mapping[str, Total]
    """Sums over all questions but added concepts', by name of the contrast."""
    peak: tuple[Float[torch.Tensor, " neuron"], ...]
    """Largest |coefficient| at any token of any question but added concepts', also at
    BOS."""
    n_related: Float[torch.Tensor, "concept half"]
    """Questions behind the related means."""
    n_unrelated: Float[torch.Tensor, " concept"]
    """Questions behind the unrelated means."""

    @property
    def mean(self) -> tuple[Float[torch.Tensor, " neuron"], ...]:
        """Mean coefficient, with its sign, over all questions but added concepts'."""
        return self.totals["signed"].means()

    def of(self, concepts: Sequence[str]) -> "Statistics":
        """The same of some concepts."""
        rows = [self.concepts.index(concept) for concept in concepts]
        return replace(
            self,
            concepts=tuple(concepts),
            means={
                name: Means(picked(of.related, rows), picked(of.unrelated, rows))
                for name, of in self.means.items()
            },
            n_related=self.n_related[rows],
            n_unrelated=self.n_unrelated[rows],
        )


def extract_statistics(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    reworded: Sequence[Prompt],
    members: Membership,
    shuffled: Sequence[Membership],
    batch_rows: int,
    on_batch: Callable[[int], None],
    earlier: Statistics | None = None,
    *,
    packed: bool,
) -> Statistics:
    """Average every further statistic per concept.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        Every item of the study.
    reworded
        The same items in the other question format.
    members
        Which sums each item enters.
    shuffled
        The same with permuted labels, one for each draw.
    batch_rows
        Prompts per forward pass.
    on_batch
        Called with the number of prompts done, over three passes.
    earlier
        What an earlier run read of some concepts, as in :func:`extract`.
    packed
        Whether options share a row while gradients are taken.
    """
    found = [] if earlier is None else [earlier]
    parts = zip(members.parts(), *(one.parts() for one in shuffled), strict=True)
    for part, *permuted in parts:
        if earlier and part.concepts[0] in earlier.concepts:
            continue
        items = set(part.lines_of).union(*(one.lines_of for one in permuted))
        asked = [p for p in prompts if p.item in items]
        sums = _Sums(loaded, part, permuted)
        sums.read(asked, batch_rows, on_batch)
        sums.reword([p for p in reworded if p.item in items], batch_rows, on_batch)
        sums.attribute(asked, batch_rows, on_batch, packed=packed)
        found.append(sums.statistics(found[0] if found else None))
    return _joined(found).of(members.concepts)


def _joined(parts: Sequence[Statistics]) -> Statistics:
    """Statistics of several parts' concepts, in order."""
    means = {
        name: Means(
            stacked([part.means[name].related for part in parts]),
            stacked([part.means[name].unrelated for part in parts]),
        )
        for name in parts[0].means
    }
    return replace(
        parts[0],
        concepts=tuple(chain.from_iterable(part.concepts for part in parts)),
        means=means,
        n_related=torch.cat([part.n_related for part in parts]),
        n_unrelated=torch.cat([part.n_unrelated for part in parts]),
    )


class _Sums:
    """Running sums of every statistic over one part's questions."""

    def __init__(
        self, loaded: LoadedModel, part: Membership, permuted: Sequence[Membership]
    ) -> None:
        self._loaded = loaded
        self._concepts = part.concepts
        names = (*READ, *BY_GRADIENT, "cross-format")
        self._of = {name: Lines(loaded, part) for name in names}
        drawn = {shuffled_name(i): one for i, one in enumerate(permuted)}
        self._drawn = {name: Lines(loaded, one) for name, one in drawn.items()}
        self._of |= self._drawn
        self._peak = [
            torch.zeros(site.n, device=site.weight.device) for site in loaded.sites
        ]

    def read(
        self,
        prompts: Sequence[Prompt],
        batch_rows: int,
        on_batch: Callable[[int], None],
    ) -> None:
        """Add what one pass over the questions tells."""
        for batch, read, largest in _readings(self._loaded, prompts, batch_rows):
            for name in READ:
                self._of[name].add(batch, read[name])
            for lines in self._drawn.values():
                lines.add(batch, read["question"])
            pairs = zip(self._peak, largest, strict=True)
            self._peak = [torch.maximum(*pair) for pair in pairs]
            on_batch(len(batch))

    def reword(
        self,
        prompts: Sequence[Prompt],
        batch_rows: int,
        on_batch: Callable[[int], None],
    ) -> None:
        """Add a pass over the questions in their other format."""
        for batch, read, _ in _readings(self._loaded, prompts, batch_rows):
            self._of["cross-format"].add(batch, read["question"])
            on_batch(len(batch))

    def attribute(
        self,
        prompts: Sequence[Prompt],
        batch_rows: int,
        on_batch: Callable[[int], None],
        *,
        packed: bool,
    ) -> None:
        """Add derivatives of the answers."""
        for rows in by_length(prompts, batch_rows):
            batch = [prompts[i] for i in rows]
            found = attributions(self._loaded, batch, packed=packed)
            for name, values in found.items():
                self._of[name].add(batch, values)
            on_batch(len(batch))

    def statistics(self, own: Statistics | None) -> Statistics:
        """Means of this part's concepts.

        Parameters
        ----------
        own
            Statistics of the study's own concepts, whose totals and peaks stand for
            all; none where these are this part.
        """
        totals = own.totals if own else {n: of.total() for n, of in self._of.items()}
        peak = own.peak if own else tuple(layer.cpu() for layer in self._peak)
        return Statistics(
            self._concepts,
            {name: lines.means(totals[name]) for name, lines in self._of.items()},
            totals,
            peak,
            *self._of["question"].sizes(totals["question"]),
        )


def attributions(
    loaded: LoadedModel, prompts: Sequence[Prompt], *, packed: bool
) -> dict[str, PerRow]:
    """Attribution and integrated gradients of the gold log-odds, by question.

    The log-odds are the gold option's log-likelihood minus that of all other options
    together (log-sum-exp), nats.
    """
    batch = Batch.of(prompts, packed=packed).to(loaded.model.device)
    at_one = _slopes(loaded, batch, 1.0)
    path = [_slopes(loaded, batch, gate) for gate in GATES]
    whole = [torch.stack(layer).mean(0) for layer in zip(*path, strict=True)]
    return {"attribution": at_one, "integrated-gradients": whole}


def _slopes(loaded: LoadedModel, batch: Batch, gate: float) -> PerRow:
    """Derivatives of each prompt's log-odds by its gates, all of them at one value."""
    n = len(batch.prompts)
    leaves = [
        torch.full((n, site.n), gate, device=site.weight.device, requires_grad=True)
        for site in loaded.sites
    ]
    rows = [leaf if batch.packed else leaf[batch.source] for leaf in leaves]
    with torch.enable_grad(), gated(loaded.sites, rows):
        logprobs = option_logprobs(loaded, batch)
        odds = [
            line[p.gold] - torch.logsumexp(_without(line, p.gold), 0)
            for line, p in zip(logprobs, batch.prompts, strict=True)
        ]
        return list(torch.autograd.grad(torch.stack(odds).sum(), leaves))


def _without(
    line: Float[torch.Tensor, " option"], gold: int
) -> Float[torch.Tensor, " other"]:
    return torch.cat([line[:gold], line[gold + 1 :]])


Reading = tuple[list[Prompt], dict[str, PerRow], PerRow]


def _readings(
    loaded: LoadedModel, prompts: Sequence[Prompt], batch_rows: int
) -> Iterator[Reading]:
    """Prompts of equal length, what was read of each, and the batch's peaks."""
    device = loaded.model.device
    for rows in by_length(prompts, batch_rows):
        batch = [prompts[i] for i in rows]
        ids = torch.tensor([p.prefix for p in batch], device=device)
        counted = torch.tensor([p.counted for p in batch], device=device).float()
        read: dict[str, PerRow] = {name: [] for name in READ}
        peak: PerRow = []

        def tap(
            number: int,
            slots: Slots,
            counted: torch.Tensor = counted,
            read: dict[str, PerRow] = read,
            peak: PerRow = peak,
        ) -> None:
            c = per_position(loaded, number, slots, counted.shape)
            tokens = counted.to(c.device)
            n = tokens.sum(1)[:, None]
            mean = torch.einsum("rpn,rp->rn", c.abs(), tokens) / n
            read["question"].append(mean)
            read["square"].append(mean**2)
            read["last-token"].append(c[:, -1].abs())
            read["signed"].append(torch.einsum("rpn,rp->rn", c, tokens) / n)
            peak.append(c.abs().amax((0, 1)))

        with torch.inference_mode(), tapped(loaded.sites, tap):
            loaded.model(input_ids=ids, use_cache=False, logits_to_keep=1)
        yield batch, read, peak


def per_position(
    loaded: LoadedModel, number: int, slots: Slots, shape: Sequence[int]
) -> Float[torch.Tensor, "row pos neuron"]:
    """Coefficients with their place in the batch; in routed experts times the weight.

    A value vector of an expert that a token is not routed to has coefficient 0 there.
    """
    c = slots.coefficients.float()
    rows, n_pos = shape
    if slots.routes is None:
        return c.view(rows, n_pos, -1)
    site = loaded.sites[number]
    token, expert, weight = slots.routes
    whole = c.new_zeros(rows * n_pos, site.n_experts, site.d_ff)
    whole[token, expert] = c * weight.float()[:, None]
    return whole.view(rows, n_pos, -1)


def shuffled_labels(members: Membership, seed: int, draw: int) -> Membership:
    """Membership after permuting, for each concept, which questions are its own.

    As many questions as the concept has are drawn from its own and its unrelated ones
    together, and dealt to the two halves; the rest counts as unrelated. What the
    selector then finds is its noise.
    """
    n = len(members.concepts)
    pool = members.items(3 * n)
    lines: dict[str, list[int]] = {
        item: [3 * n] if item in pool else [] for item in members.lines_of
    }
    for c, concept in enumerate(members.concepts):
        own = members.items(2 * c) | members.items(2 * c + 1)
        kept_out = members.items(2 * n + c) - own
        free = sorted((pool | own) - kept_out)
        order = generator("shuffled", seed, draw, concept).permutation(len(free))
        drawn = [free[i] for i in order[: len(own)]]
        for place, item in enumerate(drawn):
            lines[item].append(2 * c + place % 2)
        for item in pool & {*drawn, *kept_out}:
            lines[item].append(2 * n + c)
    tupled = {item: tuple(entered) for item, entered in lines.items()}
    return Membership(members.concepts, tupled, members.added)

"""Rankings of a model's value vectors under the names that masks give them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import torch
from jaxtyping import Float, Int

from paraspec.core.definitions import (
    NONE,
    PAPER_SELECTOR,
    REPLACEMENTS,
    SELECTORS,
)
from paraspec.core.errors import UserError
from paraspec.measure.extract import HALVES, Activations, Means
from paraspec.measure.rankings import (
    Place,
    counts,
    difference,
    matched_bins,
    places,
    random_places,
    shared_out_like,
    welch,
)
from paraspec.measure.statistics import Statistics, shuffled_name


class RankingKey(NamedTuple):
    """Which order of value vectors a mask takes its prefix from."""

    concept: str
    halves: str
    """Halves of the concept's items that it was selected on."""
    kind: str = PAPER_SELECTOR
    """A selector, or the name of a control's own ranking."""
    draw: int = 0
    """Draw of a stochastic ranking."""


UNRANKED = RankingKey(NONE, NONE, NONE)
"""Value vectors by index: what the empty mask, the same for all, takes nothing of."""

DRAWN = ("random", "matched")
"""Rankings that are drawn, not made from numbers."""

FROM_ACTIVATIONS = (PAPER_SELECTOR, "undifferenced", "global", *DRAWN)
"""Rankings that need no further statistics."""

OUTLIER = 100.0
"""Largest contribution of a value vector to the residual stream, over the median of its
layer, from which it counts as an outlier. Massive activations and super weights exceed
the rest of their layer by two to four orders of magnitude (Sun et al. 2024; Yu et al.
2024)."""


class Rankings:
    """Rankings of one model, made on demand.

    Parameters
    ----------
    model
        Name, which seeds random rankings.
    activations
        Mean coefficients of the model.
    device
        Where value vectors are ordered.
    statistics
        What further selectors rank by; None where only the paper's is used.
    norms
        Norm of every value vector, by layer; goes with the statistics.
    """

    def __init__(
        self,
        model: str,
        activations: Activations,
        device: torch.device | str = "cpu",
        statistics: Statistics | None = None,
        norms: Sequence[Float[torch.Tensor, " neuron"]] = (),
    ) -> None:
        self._model = model
        self.device = torch.device(device)
        self._activations = activations
        self._statistics = statistics
        self._norms = norms
        self._number = {c: i for i, c in enumerate(activations.concepts)}
        self.experts = [
            torch.arange(routing.shape[-1]).repeat_interleave(n // routing.shape[-1])
            for routing, n in zip(activations.routing, activations.sizes, strict=True)
        ]
        self._digests: dict[str, str] = {}
        self._global: dict[tuple[RankingKey, float], tuple[int, ...]] = {}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Value vectors of each layer."""
        return self._activations.sizes

    @property
    def concepts(self) -> tuple[str, ...]:
        """Concepts that can be ranked for."""
        return self._activations.concepts

    @property
    def kinds(self) -> tuple[str, ...]:
        """Selectors that the statistics at hand can rank by."""
        if self._statistics is not None:
            return SELECTORS
        return tuple(s for s in SELECTORS if s in FROM_ACTIVATIONS)

    def counts(self, key: RankingKey, ratio: float) -> tuple[int, ...]:
        """Value vectors that a mask ratio selects in each layer.

        The same share of each; of the selector ``global`` as many in all, wherever its
        values are highest.
        """
        if key.kind != "global":
            return counts(ratio, self.sizes)
        found = self._global.get((key, ratio))
        if found is None:
            values = [self.values([key], i)[0] for i in range(len(self.sizes))]
            order = places(torch.cat(values)) < sum(counts(ratio, self.sizes))
            layers = torch.split(order, list(self.sizes))
            found = tuple(int(layer.sum()) for layer in layers)
            self._global[key, ratio] = found
        return found

    def shared(self, key: RankingKey) -> RankingKey:
        """The key under which equal rankings stand once.

        Without experts a random ranking is the same for both halves.
        """
        alike = key.kind == "random" and not self._any_experts
        return key._replace(halves=NONE) if alike else key

    def stacked(
        self, keys: Sequence[RankingKey]
    ) -> list[Int[torch.Tensor, "ranking neuron"]]:
        """Make the rankings that masks name: places, one line per key, by layer.

        In a mixture of experts a random ranking takes as many value vectors from each
        expert as the concept's own, so that both hit the same share of active ones: it
        then depends on the halves too.

        Returns
        -------
        Places on the device, in 16 bits where a layer has few enough value vectors.
        """
        return [self._layer(keys, layer) for layer in range(len(self.sizes))]

    def _layer(
        self, keys: Sequence[RankingKey], layer: int
    ) -> Int[torch.Tensor, "ranking neuron"]:
        n = self.sizes[layer]
        dtype = torch.int16 if n < torch.iinfo(torch.int16).max else torch.int32
        by_index = torch.arange(n, dtype=dtype, device=self.device)
        found = by_index.repeat(len(keys), 1)
        drawn = [i for i, key in enumerate(keys) if key.kind in DRAWN]
        own = [i for i, k in enumerate(keys) if k.kind not in DRAWN and k != UNRANKED]
        if drawn:
            lines = torch.stack([self._drawn(keys[i], layer) for i in drawn])
            found[drawn] = lines.to(found)
        if own:
            values = self.values([keys[i] for i in own], layer)
            found[own] = places(values).to(dtype)
        return found

    def _drawn(self, key: RankingKey, layer: int) -> Place:
        groups = self.experts[layer]
        names = (self._model, key.concept, layer, str(key.draw))
        if key.kind == "matched":
            drawn = random_places(len(groups), "matched", *names)
            size = self.values([key._replace(kind="undifferenced")], layer)[0].cpu()
            groups = matched_bins(size, groups)
        else:
            drawn = random_places(len(groups), *names)
            if not self._any_experts:
                return drawn
        top = self.values([key._replace(kind=PAPER_SELECTOR)], layer)[0]
        return shared_out_like(drawn, places(top).cpu(), groups)

    def values(
        self, keys: Sequence[RankingKey], layer: int
    ) -> Float[torch.Tensor, "ranking neuron"]:
        """What a selector gives every value vector of a layer, one line per key."""
        order = sorted(range(len(keys)), key=lambda i: (keys[i].kind, keys[i].draw))
        found = torch.empty(len(keys), self.sizes[layer], device=self.device)
        for (kind, draw), group in groupby(
            order, key=lambda i: (keys[i].kind, keys[i].draw)
        ):
            lines = list(group)
            found[lines] = self._values(
                kind, draw, layer, _Chosen.of([keys[i] for i in lines], self._number)
            )
        return found

    def _values(
        self, kind: str, draw: int, layer: int, chosen: "_Chosen"
    ) -> Float[torch.Tensor, "ranking neuron"]:
        if kind == "shuffled":
            return self._contrast(self._means(shuffled_name(draw)), layer, chosen)
        ways: Mapping[str, Callable[[], torch.Tensor]] = {
            "undifferenced": lambda: chosen.related(self._own, layer, self.device),
            "difference-norm": lambda: (
                self._contrast(self._own, layer, chosen)
                * self._norms[layer].to(self.device)
            ),
            "t-statistic": lambda: self._t(layer, chosen),
            "no-outliers": lambda: self._contrast(self._own, layer, chosen).masked_fill(
                self.outliers[layer].to(self.device), -torch.inf
            ),
        }
        if kind in ways:
            return ways[kind]()
        named = kind not in FROM_ACTIVATIONS
        return self._contrast(self._means(kind) if named else self._own, layer, chosen)

    @cached_property
    def _own(self) -> Means:
        return Means(self._activations.related, self._activations.unrelated)

    def _means(self, name: str) -> Means:
        if self._statistics is None or name not in self._statistics.means:
            raise UserError(
                f"model {self._model}",
                f"nothing to rank by {name!r} was extracted",
                "Extract with the control's statistics first",
            )
        return self._statistics.means[name]

    def _contrast(
        self, means: Means, layer: int, chosen: "_Chosen"
    ) -> Float[torch.Tensor, "ranking neuron"]:
        related = chosen.related(means, layer, self.device)
        return difference(related, chosen.unrelated(means, layer, self.device))

    def _t(
        self, layer: int, chosen: "_Chosen"
    ) -> Float[torch.Tensor, "ranking neuron"]:
        mean, square = self._means("question"), self._means("square")
        assert self._statistics is not None
        here = (layer, self.device)
        return welch(
            chosen.related(mean, *here),
            chosen.related(square, *here),
            chosen.n_related(self._statistics.n_related).to(self.device),
            chosen.unrelated(mean, *here),
            chosen.unrelated(square, *here),
            chosen.n_unrelated(self._statistics.n_unrelated).to(self.device),
        )

    @cached_property
    def outliers(self) -> tuple[torch.Tensor, ...]:
        """Value vectors of massive activation or with a super weight, by layer.

        The largest |coefficient| at any token times the norm of the value vector is
        above ``OUTLIER`` times the layer's median of that.
        """
        assert self._statistics is not None
        found = []
        for peak, norm in zip(self._statistics.peak, self._norms, strict=True):
            size = peak * norm.to(peak)
            found.append(size > OUTLIER * size.median())
        return tuple(found)

    def means(
        self, replacement: str, concept: str, layer: int
    ) -> Float[torch.Tensor, " neuron"]:
        """Mean coefficients that replace masked ones (``REPLACEMENTS``)."""
        assert replacement in REPLACEMENTS
        signed = self._means("signed")
        line = self._number[concept]
        if replacement == "unrelated-mean":
            return signed.unrelated[layer][line].to(self.device).float()
        assert self._statistics is not None
        return self._statistics.mean[layer].to(self.device).float()

    def active_share(
        self, key: RankingKey, k: Sequence[int], concept: str, halves: str
    ) -> float:
        """Routing-weighted share of active value vectors in a prefix.

        A token activates the value vectors of the experts that it is routed to, each
        with the routing weight; the mean is over layers and the concept's tokens. In a
        dense layer it is ``k / n``.
        """
        line = self._number[concept]
        chosen = [HALVES.index(half) for half in halves]
        ranking = self.stacked([key]) if self._any_experts else []
        shares = []
        for layer, experts in enumerate(self.experts):
            weight = self._activations.routing[layer][line, chosen].float().mean(0)
            if len(weight) == 1:
                shares.append(k[layer] / len(experts))
                continue
            masked = ranking[layer][0].cpu() < k[layer]
            hit = masked.view(len(weight), -1).float().mean(1)
            shares.append(float((weight * hit).sum() / weight.sum()))
        return sum(shares) / len(shares)

    def digest(self, concept: str) -> str:
        """Hash of all numbers that rankings and means of a concept are made from."""
        found = self._digests.get(concept)
        if found is None:
            line = self._number[concept]
            own = self._activations
            tensors = [*own.related, *own.unrelated, *own.routing]
            shared: list[torch.Tensor] = []
            if self._statistics is not None:
                for means in self._statistics.means.values():
                    tensors += [*means.related, *means.unrelated]
                tensors += [self._statistics.n_related, self._statistics.n_unrelated]
                shared = [*self._statistics.mean, *self._statistics.peak]
            digest = hashlib.sha256()
            for tensor in [*(tensor[line] for tensor in tensors), *shared]:
                flat = tensor.detach().cpu().contiguous().flatten()
                digest.update(flat.view(torch.uint8).numpy().tobytes())
            found = self._digests[concept] = digest.hexdigest()
        return found

    @cached_property
    def _any_experts(self) -> bool:
        return any(bool(experts.any()) for experts in self.experts)


class _Chosen(NamedTuple):
    """Concepts and halves of some keys, and a statistic's values for them."""

    concept: list[int]
    share: Float[torch.Tensor, "ranking half"]
    """What each half counts for: a mean over the key's halves."""

    @classmethod
    def of(cls, keys: Sequence[RankingKey], number: Mapping[str, int]) -> "_Chosen":
        share = [[(h in key.halves) / len(key.halves) for h in HALVES] for key in keys]
        return cls([number[key.concept] for key in keys], torch.tensor(share))

    def related(
        self, means: Means, layer: int, device: torch.device
    ) -> Float[torch.Tensor, "ranking neuron"]:
        lines = means.related[layer][self.concept].to(device).float()
        return (lines * self.share.to(device)[:, :, None]).sum(1)

    def unrelated(
        self, means: Means, layer: int, device: torch.device
    ) -> Float[torch.Tensor, "ranking neuron"]:
        return means.unrelated[layer][self.concept].to(device).float()

    def n_related(
        self, n: Float[torch.Tensor, "concept half"]
    ) -> Float[torch.Tensor, "ranking 1"]:
        """Questions of the key's halves."""
        return (n[self.concept] * (self.share > 0)).sum(1, keepdim=True)

    def n_unrelated(
        self, n: Float[torch.Tensor, " concept"]
    ) -> Float[torch.Tensor, "ranking 1"]:
        """Unrelated questions of the key's concept."""
        return n[self.concept][:, None]

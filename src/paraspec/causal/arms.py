"""Which value vectors each arm trains.

The concepts' own value vectors are ranked once, on the pooled questions of all chosen
concepts: a union of each concept's would take most of a layer.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int

from paraspec.core.config import Asking
from paraspec.core.errors import UserError, similar
from paraspec.core.progress import progress
from paraspec.core.seeds import seed_for
from paraspec.core.tables.causal import (
    NORM_ARM,
    RANDOM_ARM,
    SPECIFIC_ARM,
    UNTRAINED_ARM,
    ArmName,
)
from paraspec.measure.extract import HALVES, Activations, Membership, extract
from paraspec.measure.prepare import Planned, prepare
from paraspec.measure.ranked import RankingKey, Rankings
from paraspec.measure.rankings import matched_bins, places, shared_out_like
from paraspec.models.load import LoadedModel

POOLED = "(pooled)"
"""Name under which the chosen concepts are ranked as one."""

OWN = RankingKey(POOLED, "".join(HALVES))
"""Ranking whose prefix is the concepts' own value vectors."""

Vectors = Bool[torch.Tensor, " neuron"]


def pooled_activations(
    loaded: LoadedModel,
    model: str,
    study: Planned,
    concepts: Sequence[str],
    asking: Asking,
    batch_rows: int,
) -> Activations:
    """Mean |coefficients| on all chosen concepts' questions, and on the other ones.

    Parameters
    ----------
    loaded, model
        The model, and its name.
    study
        What the study asks.
    concepts
        Chosen concepts.
    asking
        How items are asked.
    batch_rows
        Prompts of one pass.

    Returns
    -------
    Activations of one concept, named ``POOLED``.

    Raises
    ------
    UserError
        If the study does not ask about a concept.
    """
    members = pooled_membership(study, concepts)
    prompts = prepare(loaded, study.table, asking)
    asked = [prompts[item] for item in members.lines_of]
    with progress(f"pooling {model}", len(asked)) as advance:
        return extract(loaded, asked, members, batch_rows, advance)


def pooled_membership(study: Planned, concepts: Sequence[str]) -> Membership:
    """Sums of the one pooled line: 0 and 1 its halves, 2 excluded, 3 the total.

    Questions of the study's other concepts are unrelated, unless they share an entity
    or an answer with a chosen concept; added concepts' are neither.
    """
    for concept in concepts:
        if concept not in study.members.concepts:
            near = similar(concept, study.members.concepts) or study.own
            raise UserError(
                "chosen concepts",
                f"the study does not ask about {concept!r}",
                f"Choose concepts of the study, e.g. {', '.join(near[:3])}",
            )
    sets, chosen = study.sets, set(concepts)
    conflicts = set(
        sets.loc[(sets["set"] == "conflict") & sets["concept"].isin(chosen), "item"]
    )
    lines: dict[str, tuple[int, ...]] = {}
    for row in sets[sets["set"] == "concept"].itertuples():
        item = str(row.item)
        if row.concept in chosen:
            lines[item] = (HALVES.index(str(row.half)),)
        elif row.concept not in study.added and item not in conflicts:
            lines[item] = (3,)
    return Membership((POOLED,), lines)


def chosen_vectors(
    arm: ArmName, rankings: Rankings, share: float, seed: int
) -> tuple[Vectors, ...]:
    """Value vectors that an arm trains, by layer.

    `PV`, `CV-k`, `RV`, `LOW` and `matched` train equally many of each layer.

    - `PV`: most active on the concepts' questions, compared with others.
    - `CV`: all but `PV`; `CV-k`: random ones of these.
    - `RV`, `RV-norm`: random ones of all, the same for both; in a mixture as many of
      each expert as `PV`.
    - `LOW`: least active on the concepts' questions.
    - `matched`: as many random ones as `PV` of each tenth of a layer (of each expert)
      by mean |coefficient|, none of `PV`'s own while the tenth has others. Where `PV`
      takes more than half of a tenth, the rest must be its own.

    Parameters
    ----------
    arm
        Name of the arm.
    rankings
        Rankings of the line ``POOLED``.
    share
        Share of each layer that `PV` trains.
    seed
        Seed of random choices.

    Raises
    ------
    UserError
        If an arm were to train no value vector of a layer, or the complement of `PV`
        is smaller than `PV`.
    """
    if arm == NORM_ARM:
        arm = RANDOM_ARM
    if arm == UNTRAINED_ARM:
        return tuple(torch.zeros(n, dtype=torch.bool) for n in rankings.sizes)
    if arm == "FV":
        return tuple(torch.ones(n, dtype=torch.bool) for n in rankings.sizes)
    counts = rankings.counts(OWN, share)
    _check_counts(arm, counts, rankings.sizes, share)
    top = [place < k for place, k in zip(_places(rankings, OWN), counts, strict=True)]
    if arm == SPECIFIC_ARM:
        return tuple(top)
    if arm == "CV":
        return tuple(~own for own in top)
    order = _order(arm, rankings, top, seed)
    return tuple(_first(o, k) for o, k in zip(order, counts, strict=True))


def _order(
    arm: ArmName, rankings: Rankings, top: Sequence[Vectors], seed: int
) -> list[Int[torch.Tensor, " neuron"]]:
    """Order by layer that an arm takes its first k from: the smallest number first."""
    if arm == "LOW":
        active = _places(rankings, OWN._replace(kind="undifferenced"))
        return [-place for place in active]
    kind = "matched" if arm == "matched" else "random"
    # Arms of one seed draw apart, lest CV-k train nearly what RV trains.
    drawn = _places(rankings, OWN._replace(kind=kind, draw=seed_for(arm, seed)))
    if arm == "RV":
        return drawn
    own_last = [d + len(d) * t.int() for d, t in zip(drawn, top, strict=True)]
    return own_last if arm == "CV-k" else _within_bins(rankings, own_last)


def _within_bins(
    rankings: Rankings, order: Sequence[Int[torch.Tensor, " neuron"]]
) -> list[Int[torch.Tensor, " neuron"]]:
    """Reorder so that bins of activation come up where they do in PV's ranking."""
    like = _places(rankings, OWN)
    found = []
    for layer, place in enumerate(order):
        active = rankings.values([OWN._replace(kind="undifferenced")], layer)[0].cpu()
        bins = matched_bins(active, rankings.experts[layer])
        found.append(shared_out_like(place, like[layer], bins))
    return found


def _places(rankings: Rankings, key: RankingKey) -> list[Int[torch.Tensor, " neuron"]]:
    return [layer[0].cpu().int() for layer in rankings.stacked([key])]


def _first(order: Int[torch.Tensor, " neuron"], k: int) -> Vectors:
    return places(-order) < k


def _check_counts(
    arm: ArmName, counts: Sequence[int], sizes: Sequence[int], share: float
) -> None:
    for layer, (k, n) in enumerate(zip(counts, sizes, strict=True)):
        left = {SPECIFIC_ARM: k, "CV": n - k, "CV-k": n - k}.get(arm, k)
        if k == 0 or left == 0:
            fault = "no value vector"
        elif arm == "CV-k" and left < k:
            fault = f"{k} value vectors of a complement of {left}"
        else:
            continue
        raise UserError(
            "causal.share",
            f"a share of {share:g} makes arm {arm} train {fault} of layer {layer}, "
            f"which has {n}",
            f"Choose a share between {1 / n:.2g} and 0.5",
        )

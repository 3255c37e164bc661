"""Where concepts live: their top value vectors, and how far selections can be trusted.

Masks are those of the primary ratio; see :mod:`paraspec.measure.mask_overlap` for how
they are compared.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float

from paraspec.core.definitions import PAPER_SELECTOR, SELECTORS, vectors_at
from paraspec.core.tables.measured import VECTORS
from paraspec.core.tables.per_model import OVERLAP
from paraspec.measure.extract import HALVES
from paraspec.measure.mask_overlap import (
    AT_ONCE,
    Masked,
    PerKey,
    chance,
    crossed,
    masked_vectors,
    paired,
    sizes,
)
from paraspec.measure.plan import BOTH
from paraspec.measure.prepare import added_concepts
from paraspec.measure.ranked import RankingKey, Rankings
from paraspec.models.load import LoadedModel
from paraspec.models.unembedding import promoted_tokens

FEWEST, MOST = 5, 32
"""Value vectors of a site that are listed for each concept."""
N_SPOKEN, N_TOKENS = 5, 10
"""Of how many of them the promoted tokens are listed, and how many tokens."""


def vectors_frame(
    loaded: LoadedModel, model: str, rankings: Rankings, ratio: float
) -> pd.DataFrame:
    """Rows of the ``vectors`` table: every concept's top value vectors of each site.

    As many as the ratio masks, but at least ``FEWEST`` and at most ``MOST``.
    """
    keys = [RankingKey(concept, BOTH) for concept in rankings.concepts]
    frames = [
        _of_layer(loaded, rankings, keys, layer, ratio)
        for layer in range(len(rankings.sizes))
    ]
    frame = pd.concat(frames).sort_values(["line", "layer", "rank"], kind="stable")
    concepts = np.array(rankings.concepts)[frame["line"]]
    return frame.assign(model=model, concept=concepts)[VECTORS.names]


def _of_layer(
    loaded: LoadedModel,
    rankings: Rankings,
    keys: Sequence[RankingKey],
    layer: int,
    ratio: float,
) -> pd.DataFrame:
    site = loaded.sites[layer]
    n = min(site.n, max(FEWEST, min(MOST, vectors_at(ratio, site.n))))
    difference = rankings.values(keys, layer).cpu()
    related = rankings.values(_of_kind(keys, "undifferenced"), layer).cpu()
    top = torch.argsort(difference, descending=True, stable=True)[:, :n]
    spoken = sorted(set(top[:, :N_SPOKEN].flatten().tolist()))
    lists = promoted_tokens(loaded, site, spoken, N_TOKENS)
    texts = [json.dumps(tokens, ensure_ascii=False) for tokens in lists]
    promoted = dict(zip(spoken, texts, strict=True))
    related = related.gather(1, top)
    rank = np.tile(np.arange(n), len(keys))
    vector = top.flatten().tolist()
    return pd.DataFrame(
        {
            "line": np.repeat(np.arange(len(keys)), n),
            "layer": layer,
            "rank": rank,
            "vector": vector,
            "related": related.flatten().numpy(),
            "unrelated": (related - difference.gather(1, top)).flatten().numpy(),
            "norm": site.norms.cpu()[top].flatten().numpy(),
            "promoted": [
                promoted[v] if r < N_SPOKEN else "[]"
                for v, r in zip(vector, rank, strict=True)
            ],
        }
    )


def selection_frame(
    model: str, rankings: Rankings, concepts: pd.DataFrame, ratio: float
) -> pd.DataFrame:
    """Rows of the ``selection`` table: how reliable and how specific selections are.

    Parameters
    ----------
    model
        Name.
    rankings
        The model's rankings.
    concepts
        The planned ``concepts`` table. Added concepts, with exposure 0, get rows, but
        nobody is compared with them: adding one changes no row of another.
    ratio
        Mask ratio.
    """
    category = dict(zip(concepts["concept"], concepts["category"], strict=True))
    added = added_concepts(concepts)
    names = rankings.concepts
    about = pd.DataFrame({"model": model, "concept": names, "ratio": ratio})
    about = about.assign(category=about["concept"].map(category))
    compared = ~about["concept"].isin(added).to_numpy()
    frames = []
    for kind in described(rankings):
        columns = _selected(rankings, about, compared, kind, ratio)
        about_kind = about.assign(selector=kind, reason=_reasons(columns))
        frames.append(pd.concat([about_kind, pd.DataFrame(columns)], axis=1))
    return pd.concat(frames, ignore_index=True)


def described(rankings: Rankings) -> tuple[str, ...]:
    """Selectors that tables compare: all, or the paper's where others lack numbers."""
    complete = set(SELECTORS) <= set(rankings.kinds)
    return SELECTORS if complete else (PAPER_SELECTOR,)


def _selected(
    rankings: Rankings,
    about: pd.DataFrame,
    compared: Bool[np.ndarray, " concept"],
    kind: str,
    ratio: float,
) -> dict[str, PerKey]:
    """Columns of one selector, a value for each concept."""
    names = about["concept"].tolist()
    keys = {half: [RankingKey(name, half, kind) for name in names] for half in HALVES}
    masks = {half: masked_vectors(rankings, keys[half], ratio) for half in HALVES}
    between = np.mean([crossed(masks[half]) for half in HALVES], axis=0)
    category = about["category"].to_numpy()
    same = category[:, None] == category
    others = ~np.eye(len(names), dtype=bool) & compared
    participation, gini = _spread(rankings, names, kind)
    return {
        "reliability": paired(*masks.values()),
        "same_category": _mean_where(between, same & others),
        "other_category": _mean_where(between, ~same & others),
        "chance": np.full(len(names), chance(rankings, kind, kind, ratio)),
        "selectivity": _selectivity(rankings, keys, masks),
        "participation": participation,
        "gini": gini,
    }


def _mean_where(
    values: Float[np.ndarray, "concept other"],
    chosen: Bool[np.ndarray, "concept other"],
) -> PerKey:
    """Means of the chosen values of each line; NaN where none is."""
    n = chosen.sum(1)
    total = np.where(chosen, values, 0.0).sum(1)
    found: PerKey = np.full(len(n), np.nan)
    np.divide(total, n, out=found, where=n > 0)
    return found


def _selectivity(
    rankings: Rankings,
    keys: Mapping[str, Sequence[RankingKey]],
    masks: Mapping[str, Masked],
) -> PerKey:
    """Mean selectivity index of the masked value vectors, cross-fitted.

    The index, ``(related - unrelated) / (related + unrelated)`` of mean |coefficient|,
    from -1 to 1, of the vectors that one half of the questions selected, is read on the
    other half's; then the reverse. A vector that is never active counts as 0.
    """
    found = []
    for half, opposite in zip(HALVES, reversed(HALVES), strict=True):
        total = torch.zeros(len(keys[half]))
        for layer, mask in enumerate(masks[half]):
            total += (_index(rankings, keys[opposite], layer) * mask).sum(1)
        n = sizes(masks[half])
        found.append(total.numpy() / np.where(n > 0, n, np.nan))
    return np.asarray(np.mean(found, axis=0))


def _index(
    rankings: Rankings, keys: Sequence[RankingKey], layer: int
) -> Float[torch.Tensor, "key neuron"]:
    """Selectivity index of every value vector of a layer."""
    difference = rankings.values(_of_kind(keys, PAPER_SELECTOR), layer).cpu()
    related = rankings.values(_of_kind(keys, "undifferenced"), layer).cpu()
    total = 2 * related - difference
    return torch.where(total > 0, difference / total.clamp(min=1e-30), 0.0)


def _of_kind(keys: Sequence[RankingKey], kind: str) -> list[RankingKey]:
    return [key._replace(kind=kind) for key in keys]


def _spread(
    rankings: Rankings, concepts: Sequence[str], kind: str
) -> tuple[PerKey, PerKey]:
    """Participation ratio and Gini coefficient of what the selector gives, by concept.

    Of the positive values ``a`` of all ``n`` value vectors, selected on all questions:
    ``(sum a)^2 / (n sum a^2)``, from 1/n (one vector has all) to 1 (all alike), and
    ``sum_i (2 i - n - 1) a_i / (n sum a)`` over rising ``a``, from 0 (all alike) to
    ``1 - 1/n``. NaN where no value is positive.
    """
    participation, gini = [], []
    for start in range(0, len(concepts), AT_ONCE):
        keys = [
            RankingKey(name, BOTH, kind) for name in concepts[start : start + AT_ONCE]
        ]
        layers = [rankings.values(keys, i).cpu() for i in range(len(rankings.sizes))]
        a = torch.cat(layers, 1).clamp(min=0).double().sort(1).values
        n = a.shape[1]
        weight = 2 * torch.arange(1, n + 1, dtype=a.dtype) - n - 1
        total = a.sum(1)
        participation.append(total**2 / (n * (a**2).sum(1)))
        gini.append((a @ weight) / (n * total))
    return torch.cat(participation).numpy(), torch.cat(gini).numpy()


def _reasons(columns: Mapping[str, PerKey]) -> list[str]:
    """Why values are NaN, concept by concept."""
    told = {
        "reliability": "the ratio selects no value vector",
        "same_category": "no other concept of its category",
        "other_category": "no concept of another category",
        "gini": "the selector gives no value vector a positive value",
    }
    missing = [np.where(np.isnan(columns[name]), told[name], "") for name in told]
    return ["; ".join(filter(None, line)) for line in zip(*missing, strict=True)]


def overlap_frame(
    model: str, rankings: Rankings, concepts: pd.DataFrame, ratio: float
) -> pd.DataFrame:
    """Rows of the ``overlap`` table: how far any two selectors agree.

    Means over concepts, but added ones (see :func:`selection_frame`), and over the
    halves that selected.
    """
    added = added_concepts(concepts)
    names = [name for name in rankings.concepts if name not in added]
    pairs = list(combinations(described(rankings), 2))
    blocks = [names[i : i + AT_ONCE] for i in range(0, len(names), AT_ONCE)]
    found = [_agreement(rankings, block, pairs, ratio) for block in blocks if pairs]
    rows = [
        (
            *(model, *pair, ratio, len(names)),
            float(np.mean(np.concatenate([block[pair] for block in found]))),
            chance(rankings, *pair, ratio),
        )
        for pair in pairs
    ]
    return pd.DataFrame(rows, columns=OVERLAP.names)


def _agreement(
    rankings: Rankings,
    names: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    ratio: float,
) -> dict[tuple[str, str], PerKey]:
    """Jaccard indices of two selectors' masks, for every concept and half."""
    keys = [RankingKey(name, half) for name in names for half in HALVES]
    kinds = dict.fromkeys(kind for pair in pairs for kind in pair)
    masks = {
        kind: masked_vectors(rankings, _of_kind(keys, kind), ratio) for kind in kinds
    }
    return {(one, other): paired(masks[one], masks[other]) for one, other in pairs}

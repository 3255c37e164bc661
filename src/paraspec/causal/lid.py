"""Local intrinsic dimension (LID) of hidden states, by maximum likelihood.

Levina & Bickel (2004): with T_j the distance to the j-th nearest of k neighbours, a
point's dimension is ``1 / (1/(k-1) * sum_{j<k} log(T_k / T_j))``. Answers that a model
is wrong about tend to have hidden states of larger LID (Yin et al. 2024).
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from paraspec.core.errors import UserError
from paraspec.measure.prompts import Prompt, by_length
from paraspec.models.load import LoadedModel

Points = Float[np.ndarray, "point dim"] | Float[torch.Tensor, "point dim"]

SAME = 1e-5
"""Distance, as a share of a point's norm, up to which another one is the same.

float32 states of the same text differ by about 1e-6 of their norm when the batches that
they were computed in differ; different texts by 1e-2 and more.
"""


def lid(points: Points, reference: Points, k: int) -> Float[np.ndarray, " point"]:
    """Local intrinsic dimension of points, by their nearest neighbours in a reference.

    Neighbours at distance zero are left out: the point itself where it is one of the
    reference, and its duplicates, of whose distance no logarithm exists and which tell
    nothing of the dimension.

    Parameters
    ----------
    points
        Where the dimension is estimated.
    reference
        Among what neighbours are looked for; ``points`` may be among them.
    k
        Neighbours, at least 2. The mean of the estimates is (k-1)/(k-2) times too
        large, see :func:`pooled`.

    Returns
    -------
    Above 0; NaN where fewer than k neighbours remain, or all k are equally far.

    Raises
    ------
    UserError
        If k is below 2.
    """
    if k < 2:
        raise UserError(
            "causal.neighbours", f"{k} neighbours give no dimension", "Take 2 or more"
        )
    at, others = (np.asarray(x, dtype=np.float64) for x in (points, reference))
    distances = cdist(at, others)
    same = distances <= SAME * np.linalg.norm(at, axis=1, keepdims=True)
    distances[same] = np.inf
    if len(others) < k:
        return np.full(len(at), np.nan)
    nearest = np.sort(np.partition(distances, k - 1, axis=1)[:, :k], axis=1)
    known = np.isfinite(nearest[:, -1])
    logs = np.log(nearest[known])
    inverse = (logs[:, -1:] - logs[:, :-1]).sum(1) / (k - 1)
    found = np.full(len(at), np.nan)
    found[known] = 1 / np.where(inverse > 0, inverse, np.nan)
    return found


def pooled(lids: Float[np.ndarray, " point"]) -> float:
    """One dimension of many points: the inverse of the mean inverse estimate.

    Inverse estimates are unbiased where the density is locally even, so they are what
    may be averaged (MacKay & Ghahramani 2005). NaN where no point has an estimate.

    >>> pooled(np.array([2.0, 6.0, np.nan]))
    3.0
    """
    known = lids[~np.isnan(lids)]
    return float(1 / np.mean(1 / known)) if known.size else float("nan")


def hidden_states(
    loaded: LoadedModel, prompts: Sequence[Prompt], batch_rows: int
) -> Float[torch.Tensor, "layer prompt d_model"]:
    """Hidden state of each prompt's last token after every layer.

    Given in float32 on the CPU. The embedding before the first layer is left out: it is
    the same for all prompts that end alike. The last layer's state is the one behind
    the final normalisation.
    """
    model = loaded.model
    decoder = model.get_decoder()
    states: dict[int, Float[torch.Tensor, "layer d_model"]] = {}
    for rows in by_length(prompts, batch_rows):
        ids = torch.tensor([prompts[i].prefix for i in rows], device=model.device)
        with torch.inference_mode():
            out = decoder(input_ids=ids, output_hidden_states=True, use_cache=False)
        layers = [layer[:, -1].float().cpu() for layer in out.hidden_states[1:]]
        states.update(zip(rows, torch.stack(layers, dim=1), strict=True))
    return torch.stack([states[i] for i in range(len(prompts))], dim=1)


def best_layer(
    states: Float[torch.Tensor, "layer prompt d_model"],
    correct: Bool[np.ndarray, " prompt"],
    k: int,
) -> int:
    """Layer whose LID tells wrong answers from right ones best, on development prompts.

    That is the one of the largest area under the ROC curve of LID as a sign of a wrong
    answer; prompts without an estimate are left out. Of equally good layers the one
    nearest the middle is taken, the lower of two: so it is the middle one where all
    answers are right, or all wrong, and nothing can be told apart. In the middle LID
    is the least bound to the prompt's last word or to the next token alone.

    Parameters
    ----------
    states
        Hidden states of development prompts, which are each other's neighbours.
    correct
        Whether each is answered right.
    k
        Neighbours, see :func:`lid`.

    Returns
    -------
    Position in ``states``.
    """
    wrong = ~np.asarray(correct, dtype=bool)
    areas = np.array([_area(lid(layer, layer, k), wrong) for layer in states])
    areas = np.nan_to_num(areas, nan=-1.0)  # behind any that is known
    equal = np.flatnonzero(np.isclose(areas, areas.max()))
    middle = (len(areas) - 1) / 2
    return int(min(equal, key=lambda i: (abs(i - middle), i)))


def _area(
    lids: Float[np.ndarray, " prompt"], wrong: Bool[np.ndarray, " prompt"]
) -> float:
    """Chance that a wrong answer has the larger LID; NaN without both kinds."""
    known = ~np.isnan(lids)
    ranks, wrong = rankdata(lids[known]), wrong[known]
    n = int(wrong.sum())
    pairs = n * (len(wrong) - n)
    return float((ranks[wrong].sum() - n * (n + 1) / 2) / pairs) if pairs else np.nan

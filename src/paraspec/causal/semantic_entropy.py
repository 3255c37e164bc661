"""How many meanings a model's sampled answers have: semantic entropy.

Answers that mean the same form a cluster; the entropy is that of the clusters, in nats
(Kuhn et al. 2023; Farquhar et al. 2024). Two estimators stand side by side: the
discrete one of the clusters' shares of the samples, and the likelihood-weighted one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import entr, logsumexp

from paraspec.causal.free_answers import Sample
from paraspec.causal.judges import Judge, Pair
from paraspec.core.errors import UserError

MIN_SAMPLES = 2
"""One answer always has entropy 0, whatever the model knows."""


@dataclass(frozen=True)
class SemanticEntropy:
    """Semantic entropy of the answers to one question."""

    n_samples: int
    n_clusters: int
    """Meanings among them, at least 1."""
    discrete: float
    """Of the clusters' shares of the samples, 0 ... log(n_samples) nats."""
    weighted: float
    """Of the clusters' likelihoods, 0 ... log(n_clusters) nats; NaN if none is."""


def semantic_entropies(
    questions: Sequence[str], samples: Sequence[Sequence[Sample]], judge: Judge
) -> list[SemanticEntropy]:
    """Semantic entropy of every question's samples.

    Parameters
    ----------
    questions
        What was asked.
    samples
        Sampled answers to each question, in any order.
    judge
        Says which answers mean the same; it is asked about all questions at once.

    Raises
    ------
    UserError
        If a question has fewer than two samples.
    """
    n_least = min(map(len, samples), default=MIN_SAMPLES)
    if n_least < MIN_SAMPLES:
        raise UserError(
            "causal.samples",
            f"semantic entropy of {n_least} sampled answers is not defined",
            f"Sample at least {MIN_SAMPLES}, 10 as a rule",
        )
    texts = [[sample.text for sample in of] for of in samples]
    labels = clusters(questions, texts, judge)
    return [_entropies(of, line) for of, line in zip(samples, labels, strict=True)]


def _entropies(
    samples: Sequence[Sample], labels: Int[np.ndarray, " sample"]
) -> SemanticEntropy:
    return SemanticEntropy(
        n_samples=len(samples),
        n_clusters=len(set(labels.tolist())),
        discrete=discrete_entropy(labels),
        weighted=weighted_entropy(
            labels, [s.text for s in samples], [s.logprob for s in samples]
        ),
    )


def clusters(
    questions: Sequence[str], texts: Sequence[Sequence[str]], judge: Judge
) -> list[Int[np.ndarray, " sample"]]:
    """Cluster every question's answers by meaning, whatever order they come in.

    Clusters are the connected components of the judge's relation, which need not be
    transitive: answers that a chain of others joins share a cluster.

    Returns
    -------
    For each question the cluster of every answer, numbered from 0.
    """
    distinct = [sorted(set(of)) for of in texts]
    pairs = [
        Pair(question, a, b)
        for question, of in zip(questions, distinct, strict=True)
        for a, b in combinations(of, 2)
    ]
    verdicts = iter(judge.same_all(pairs))
    found = []
    for of, names in zip(texts, distinct, strict=True):
        n = len(names)
        edges = [ab for ab in combinations(range(n), 2) if next(verdicts)]
        a, b = np.array(edges, dtype=int).reshape(-1, 2).T
        graph = coo_array((np.ones(len(edges)), (a, b)), shape=(n, n))
        _, cluster = connected_components(graph, directed=False)
        number = dict(zip(names, cluster.tolist(), strict=True))
        found.append(np.array([number[text] for text in of], dtype=int))
    return found


def discrete_entropy(labels: Int[np.ndarray, " sample"]) -> float:
    """Entropy of the clusters' shares of the samples, in nats.

    ``-sum_c p_c log p_c`` with ``p_c`` the share of the samples in cluster c: from 0,
    where all mean the same, to log(n), where all n differ.

    >>> round(discrete_entropy(np.array([0, 0, 1, 1])), 4)
    0.6931
    """
    _, counts = np.unique(labels, return_counts=True)
    return float(entr(counts / counts.sum()).sum())


def weighted_entropy(
    labels: Int[np.ndarray, " sample"],
    texts: Sequence[str],
    logprobs: Sequence[float] | Float[np.ndarray, " sample"],
) -> float:
    """Entropy of the clusters' likelihoods, in nats.

    The likelihood of a cluster is the sum over its distinct texts, each counted once
    however often it was drawn (Rao-Blackwellised, Farquhar et al. 2024), not divided by
    length; normalised over clusters. A text that was written in several ways, say with
    another ending, counts with its likeliest. From 0 to the log of the number of
    clusters; NaN where no text has a likelihood.

    >>> labels, texts = np.array([0, 0, 1]), ["a", "a", "b"]
    >>> round(weighted_entropy(labels, texts, np.log([0.3, 0.3, 0.3])), 4)
    0.6931
    """
    best: dict[tuple[int, str], float] = {}
    for label, text, logprob in zip(labels.tolist(), texts, logprobs, strict=True):
        best[label, text] = max(float(logprob), best.get((label, text), -np.inf))
    values = np.array(list(best.values()))
    own = np.array([label for label, _ in best])
    mass = np.array([logsumexp(values[own == c]) for c in np.unique(own)])
    total = logsumexp(mass)
    return float(entr(np.exp(mass - total)).sum()) if np.isfinite(total) else np.nan

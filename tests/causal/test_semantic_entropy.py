"""Semantic entropy: by hand, by brute force, and in any order of answers."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraspec.causal.free_answers import Sample
from paraspec.causal.judges import Judge, StringJudge
from paraspec.causal.semantic_entropy import (
    clusters,
    discrete_entropy,
    semantic_entropies,
    weighted_entropy,
)
from paraspec.core.errors import UserError

STRING = StringJudge({"q": (("Rome", "Roma"), ("Paris",))})


class Near(Judge):
    """A relation that is neither transitive nor asked in both directions alike."""

    def same_all(self, pairs):
        return [0 <= len(b) - len(a) <= 1 for _, a, b in pairs]


def _samples(*texts, logprob=-1.0):
    return [Sample(text, logprob, 2) for text in texts]


def test_by_hand():
    samples = [
        *[Sample("Rome", math.log(0.4), 2)] * 5,
        *[Sample("Roma", math.log(0.1), 2)] * 2,
        *[Sample("Paris", math.log(0.25), 2)] * 3,
    ]
    [found] = semantic_entropies(["q"], [samples], STRING)
    assert (found.n_samples, found.n_clusters) == (10, 2)
    assert found.discrete == pytest.approx(-0.7 * math.log(0.7) - 0.3 * math.log(0.3))
    p, q = 0.5 / 0.75, 0.25 / 0.75  # each text once
    assert found.weighted == pytest.approx(-p * math.log(p) - q * math.log(q))


TEXTS = st.lists(st.text("ab", max_size=6), min_size=2, max_size=9)


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_answers_cannot_matter(texts, random):
    order = list(range(len(texts)))
    random.shuffle(order)
    samples = [Sample(t, -float(len(t)) - i / 7, 1) for i, t in enumerate(texts)]
    turned = [samples[i] for i in order]
    one, other = semantic_entropies(["q", "q"], [samples, turned], Near())
    assert one.n_clusters == other.n_clusters
    assert one.discrete == pytest.approx(other.discrete, abs=1e-12)
    assert one.weighted == pytest.approx(other.weighted, abs=1e-12)


@given(TEXTS)
def test_clusters_are_the_components_of_the_relation(texts):
    [labels] = clusters(["q"], [texts], Near())

    def joined(a, b):
        small, large = sorted((a, b))
        return a == b or 0 <= len(large) - len(small) <= 1

    seen = list(range(len(texts)))
    for _ in texts:  # every answer takes the least number that a relative has
        seen = [
            min(seen[j] for j in range(len(texts)) if joined(texts[i], texts[j]))
            for i in range(len(texts))
        ]
    assert [labels[i] == labels[0] for i in range(len(texts))] == [
        n == seen[0] for n in seen
    ]
    assert len(set(labels.tolist())) == len(set(seen))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_discrete_entropy_by_counting_and_within_its_range(labels):
    n = len(labels)
    expected = -sum(c / n * math.log(c / n) for c in Counter(labels).values())
    found = discrete_entropy(np.array(labels))
    assert found == pytest.approx(expected, abs=1e-12)
    assert 0 <= found <= math.log(n) + 1e-12


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-3000, 0)), min_size=1))
def test_weighted_entropy_is_finite_and_within_its_range(drawn):
    labels = np.array([label for label, _ in drawn])
    texts = [str(i) for i in range(len(drawn))]
    found = weighted_entropy(labels, texts, [logprob for _, logprob in drawn])
    assert -1e-12 <= found <= math.log(len(set(labels.tolist()))) + 1e-9


def test_very_unlikely_answers_do_not_underflow():
    labels = np.array([0, 1])
    far, near = (
        weighted_entropy(labels, ["a", "b"], [base - 1.0, base])
        for base in (-5000.0, -1.0)
    )
    assert far == pytest.approx(near) and far > 0.5


def test_a_text_written_in_two_ways_counts_once_by_its_likeliest():
    found = weighted_entropy(np.array([0, 0, 1]), ["a", "a", "b"], [-1.0, -9.0, -1.0])
    assert found == pytest.approx(math.log(2))


def test_impossible_answers_have_no_weighted_entropy():
    nothing = [-math.inf, -math.inf]
    assert math.isnan(weighted_entropy(np.array([0, 1]), ["a", "b"], nothing))
    assert weighted_entropy(np.array([0, 1]), ["a", "b"], [-math.inf, -1.0]) == 0


def test_one_sample_is_refused():
    with pytest.raises(UserError, match="1 sampled"):
        semantic_entropies(
            ["q", "q"], [_samples("Rome", "Paris"), _samples("Rome")], STRING
        )
    assert semantic_entropies([], [], STRING) == []

"""Facts planted in small models that were trained, and how rankings find them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraspec.core.config import Asking
from paraspec.core.definitions import SELECTORS
from paraspec.core.errors import UserError
from paraspec.core.model_table import ModelRow
from paraspec.core.table import checked, read_table
from paraspec.core.tables.per_model import PLANTED
from paraspec.core.tables.planned import CONCEPTS, CORPUS, PROMPTS
from paraspec.measure.extract import Activations
from paraspec.measure.plant import APART, Fact, Planter
from paraspec.measure.plant_keys import closest_match
from paraspec.measure.plant_run import (
    Study,
    find_facts,
    known_concepts,
    lost,
    run_plant,
    settle,
    with_golds,
)
from paraspec.measure.prepare import Planned
from paraspec.measure.ranked import Rankings
from paraspec.measure.recall import auc, expected_recall, recall, recall_frame
from paraspec.models.manifest import Manifest
from paraspec.models.taps import tapped
from paraspec.models.train import encode, train

WIDE = {"hidden_size": 64, "intermediate_size": 96, "n_inner": 96}
RECIPE = ModelRow(
    model="m",
    source="zoo",
    family="f",
    architecture="llama",
    d_model=64,
    n_layers=2,
    n_heads=2,
    d_ff=96,
    steps=200,
    batch=32,
    learning_rate=0.005,
)


@pytest.fixture(scope="module")
def trained(loaded, study):
    """Train a small model of a kind on the study's sentences, once; give copies."""
    states = {}

    def make(kind):
        model = loaded(kind, **WIDE)
        if kind not in states:
            corpus = read_table(study.data("corpus.parquet"), CORPUS)
            ids = encode(corpus["text"].tolist(), model.tokenizer)
            model.model.requires_grad_(True)
            train(model.model, ids, corpus["exposure"].tolist(), RECIPE, lambda p: None)
            model.model.requires_grad_(False)
            states[kind] = {k: v.clone() for k, v in model.model.state_dict().items()}
        model.model.load_state_dict(states[kind])
        return model

    return make


class Planted:
    """A trained model, new facts written into it, and what it was before."""

    def __init__(self, model, files, seed=0):
        self.model = model
        planned = Planned.read(files)
        self.table, self.concepts = planned.table, planned.concepts
        self.study = Study.of(model, self.table, Asking(), 64)
        self.answers_before = self.study.answers()
        self.before = {k: v.clone() for k, v in model.model.state_dict().items()}
        self.known = known_concepts(self.answers_before, planned)
        self.planter = Planter(model, self.study.prompts, 64, packed=self.study.packed)
        found = find_facts(self.planter, self.known, self.study, 2, seed)
        self.facts = settle(self.planter, found, self.study)
        self.answers = self.study.answers()

    @property
    def key(self):
        return [
            (f.item, f.answer, f.layer, f.vector, f.strength, f.direction.tolist())
            for f in self.facts
        ]


@pytest.fixture(scope="module", params=["llama", "gpt2", "gpt_neox"])
def planted(request, trained, study):
    return Planted(trained(request.param), study)


def test_new_answers_win_that_were_not_given_before(planted):
    assert len(planted.facts) >= 6
    assert len({(f.layer, f.vector) for f in planted.facts}) == len(planted.facts)
    assert len({f.concept for f in planted.facts}) == 2
    assert lost(planted.facts, planted.answers) == []
    for fact in planted.facts:
        before = planted.answers_before[fact.item]
        assert before.predicted != fact.answer != before.gold


def test_nothing_but_the_hosts_is_written(planted):
    after = planted.model.model.state_dict()
    hosts = [{f.vector for f in planted.facts if f.layer == i} for i in range(2)]
    changed = set()
    for name, tensor in planted.before.items():
        moved = after[name] != tensor
        if not moved.any():
            continue
        changed.add(name.split(".")[-2])
        layer = next(i for i in range(2) if f".{i}." in name)
        n = planted.model.sites[layer].n
        axis = next(i for i, size in enumerate(tensor.shape) if size == n)
        others = [i for i in range(moved.dim()) if i != axis]
        lines = moved.any(dim=others) if others else moved
        assert set(torch.nonzero(lines).flatten().tolist()) <= hosts[layer]
    gated = {"gate_proj", "up_proj", "down_proj"}
    plain = {"c_fc", "c_proj"}, {"dense_h_to_4h", "dense_4h_to_h"}
    assert changed in (gated, *plain)


def test_facts_that_are_written_no_more_leave_their_hosts_as_they_were(planted):
    planted.planter.write([])
    for name, tensor in planted.model.model.state_dict().items():
        assert torch.equal(tensor, planted.before[name])
    planted.planter.write(planted.facts)
    assert lost(planted.facts, planted.study.answers()) == []


def coefficients(planted, item):
    """Coefficients of every layer at an item's tokens, ``[pos, neuron]``."""
    seen = {}
    ids = torch.tensor([planted.study.prompts[item].prefix])
    with (
        torch.no_grad(),
        tapped(
            planted.model.sites,
            lambda number, slots: seen.__setitem__(number, slots.coefficients),
        ),
    ):
        planted.model.model(input_ids=ids)
    return seen


def test_a_host_is_as_strong_as_said_at_its_fact_and_weak_at_others(planted):
    first = [f for f in planted.facts if f.layer == 0]  # nothing written before it
    for fact in first:
        at_fact = float(coefficients(planted, fact.item)[0][-1, fact.vector])
        assert at_fact == pytest.approx(fact.strength, rel=0.2)
        elsewhere = [
            coefficients(planted, item)[0][-1, fact.vector].abs()
            for item in planted.study.prompts
            if item != fact.item
        ]
        assert max(elsewhere) < APART * fact.strength
        assert np.median(elsewhere) < 0.15 * fact.strength


def test_a_fact_is_lost_with_its_host_and_no_other_is(planted):
    model = planted.model.model
    state = {k: v.clone() for k, v in model.state_dict().items()}
    gone = planted.facts[::2]
    planted.planter.erase(gone)
    answers = planted.study.answers()
    model.load_state_dict(state)
    missing, erased = set(lost(planted.facts, answers)), {f.item for f in gone}
    assert len(missing - erased) <= 1
    assert len(missing) >= 0.7 * len(erased)  # others' hosts may keep one up


def test_seeds_choose_concepts_answers_and_hosts(trained, study):
    one, again, other = (Planted(trained("llama"), study, seed) for seed in (0, 0, 1))
    assert again.key == one.key
    assert [line[:4] for line in other.key] != [line[:4] for line in one.key]


def test_prompts_that_look_the_same_in_a_layer_are_told(loaded, study):
    model = loaded("gpt_neox", **WIDE)  # its first MLP sees the last token alone
    table = read_table(study.data("prompts.parquet"), PROMPTS)
    asked = Study.of(model, table, Asking(), 64)
    planter = Planter(model, asked.prompts, 64, packed=asked.packed)
    match = closest_match(planter._inputs[0])
    last = {item: prompt.prefix[-1] for item, prompt in asked.prompts.items()}
    for item, token in last.items():
        if sum(token == other for other in last.values()) > 1:
            assert match[item] == pytest.approx(1, abs=1e-3)
            assert planter.fact(item, "", [0], 0) is None


def test_mixtures_are_refused(loaded, study):
    table = read_table(study.data("prompts.parquet"), PROMPTS)
    model = loaded("mixtral")
    asked = Study.of(model, table, Asking(), 64)
    with pytest.raises(UserError, match=r"cannot be written.*Choose a dense model"):
        Planter(model, asked.prompts, 64, packed=asked.packed)


def test_golds_become_the_new_answers_of_planted_items_only(planted):
    table = with_golds(planted.table, planted.facts)
    new = {f.item: f.answer for f in planted.facts}
    for row, old in zip(table.itertuples(), planted.table.itertuples(), strict=True):
        assert row.gold == new.get(row.item, old.gold)
    assert checked(table, PROMPTS)["gold"].dtype == "int64"


# Recall.

sizes = st.lists(st.integers(2, 12), min_size=1, max_size=3)


@st.composite
def found(draw):
    """Rankings of a few layers, and planted value vectors."""
    n = draw(sizes)
    places = [torch.tensor(draw(st.permutations(range(size)))) for size in n]
    planted = [
        sorted(draw(st.sets(st.integers(0, size - 1), max_size=size - 1))) for size in n
    ]
    return places, planted


@given(found())
def test_auc_counts_pairs(case):
    places, planted = case
    if not any(planted):
        return
    wins = [
        float(
            np.mean(
                [
                    int(layer[p]) < int(layer[q])
                    for q in range(len(layer))
                    if q not in numbers
                ]
            )
        )
        for layer, numbers in zip(places, planted, strict=True)
        for p in numbers
    ]
    assert auc(places, planted) == pytest.approx(np.mean(wins))


@given(found(), st.integers(0, 5))
def test_recall_counts_and_a_random_ranking_s_is_its_mean(case, k):
    places, planted = case
    if not any(planted):
        return
    n = [len(layer) for layer in places]
    counts = [min(k, size) for size in n]
    order = [torch.argsort(layer).tolist() for layer in places]
    hit = [
        p in layer[:c]
        for layer, numbers, c in zip(order, planted, counts, strict=True)
        for p in numbers
    ]
    assert recall(places, planted, counts) == pytest.approx(np.mean(hit))
    rolled = [
        recall(
            [(layer + turn) % len(layer) for layer in places[:1]],
            planted[:1],
            counts[:1],
        )
        for turn in range(n[0])
        if planted[0]
    ]
    if rolled:  # every vector takes every place once
        expected = expected_recall(n[:1], planted[:1], counts[:1])
        assert np.mean(rolled) == pytest.approx(expected)


def made_facts(hosts):
    direction = torch.zeros(1)
    return [
        Fact(f"c.{i}", "c", 0, layer, v, direction, 1.0)
        for i, (layer, v) in enumerate(hosts)
    ]


def test_a_ranking_that_has_the_hosts_on_top_has_full_recall():
    related = (torch.zeros(1, 2, 40), torch.zeros(1, 2, 20))
    related[0][0, :, [3, 7]] = 1.0
    related[1][0, :, 5] = 3.0
    activations = Activations(
        ("c",),
        related,
        (torch.zeros(1, 40), torch.zeros(1, 20)),
        (torch.ones(1, 2, 1),) * 2,
    )
    rankings = Rankings("m", activations)
    facts = made_facts([(0, 3), (0, 7), (1, 5)])
    frame = recall_frame(rankings, facts, 0.1).set_index("selector")
    assert (
        frame.loc["difference", ["recall", "recall_primary", "auc"]].tolist() == [1] * 3
    )
    assert frame.loc["global", "recall"] == 1
    assert set(frame["n_planted"]) == {3}
    assert frame.loc["difference", "chance"] == pytest.approx((2 * 2 / 40 + 1 / 20) / 3)
    assert frame.loc["random", "auc"] == pytest.approx(0.5, abs=0.25)
    assert frame.loc["random", "recall_primary"] < 0.5


def manifest(model):
    values = dict.fromkeys(Manifest.__dataclass_fields__, "")
    known = {"model": model, "parameters_total": 10_000}
    known |= {"files": {}, "untrained": []}
    return Manifest(**values | known)


@pytest.fixture(scope="module")
def table(trained, study):
    frame = run_plant(trained("llama"), manifest("m"), study, 2, Asking(), 64, 0)
    return checked(frame, PLANTED)


def test_every_selector_is_asked_for_every_concept(table, study):
    assert len(table) == 2 * (len(SELECTORS) + 1)
    assert set(table["selector"]) == {*SELECTORS, "random"}
    assert (table["planted_before"] == 0).all() and (table["planted_after"] == 1).all()
    concepts = read_table(study.data("concepts.parquet"), CONCEPTS)
    category = dict(zip(concepts["concept"], concepts["category"], strict=True))
    assert len({category[c] for c in table["concept"]}) == 2
    assert table["others_before"].between(0, 1).all()


def test_selectors_by_gradient_find_what_was_planted(table):
    mean = table.groupby("selector")[["recall", "chance", "auc"]].mean()
    for kind in ("attribution", "integrated-gradients"):
        # How many depends on the model: 7 to 25 times chance over 8 trained ones.
        assert mean.loc[kind, "recall"] > 5 * mean.loc[kind, "chance"]
        assert mean.loc[kind, "auc"] > 0.6
    assert mean.loc["random", "auc"] == pytest.approx(0.5, abs=0.15)


def test_a_model_that_knows_nothing_is_refused(loaded, study):
    with pytest.raises(UserError, match=r"about 0 concepts, not 3.*knows more"):
        run_plant(loaded("llama"), manifest("m"), study, 3, Asking(), 64, 0)

"""Planting facts in one model and asking every selector for them: files to a table."""

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

import pandas as pd

from paraspec.core.config import Asking
from paraspec.core.definitions import KNOWN_ACCURACY, primary_ratio
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.seeds import generator, seed_for
from paraspec.measure.extract_run import (
    rankings_of,
    read_activations,
    read_statistics,
)
from paraspec.measure.method import packing_holds
from paraspec.measure.plant import Fact, Planter
from paraspec.measure.prepare import Planned, prepare
from paraspec.measure.prompts import Prompt
from paraspec.measure.ranked import Rankings
from paraspec.measure.recall import recall_frame
from paraspec.measure.scoring import Answer, Masks, answer
from paraspec.measure.wording import other_format
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest

logger = logging.getLogger(__name__)

PATIENCE = 1
"""Times that a fact's strength is doubled for others' sake before it is given up."""


@dataclass(frozen=True)
class Study:
    """A model with its questions."""

    loaded: LoadedModel
    table: pd.DataFrame
    """The ``prompts`` table."""
    prompts: Mapping[str, Prompt]
    """The same, tokenised."""
    batch_rows: int
    packed: bool
    """Whether the options of a prompt share a row."""

    @classmethod
    def of(
        cls, loaded: LoadedModel, table: pd.DataFrame, asking: Asking, batch_rows: int
    ) -> "Study":
        """Tokenise, and find out whether options can share a row."""
        prompts = prepare(loaded, table, asking)
        packed = packing_holds(loaded, list(prompts.values()))
        return cls(loaded, table, prompts, batch_rows, packed)

    def answers(self) -> dict[str, Answer]:
        """What the model, as it is now, answers without a mask."""
        prompts = list(self.prompts.values())
        starts = range(0, len(prompts), self.batch_rows)
        batches = (prompts[start : start + self.batch_rows] for start in starts)
        replies = chain.from_iterable(
            answer(self.loaded, batch, Masks([]), packed=self.packed)
            for batch in batches
        )
        return {p.item: reply for p, reply in zip(prompts, replies, strict=True)}


def run_plant(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    n_concepts: int,
    asking: Asking,
    batch_rows: int,
    seed: int,
) -> pd.DataFrame:
    """Plant facts in a loaded model, in place, and score the selectors by them.

    Parameters
    ----------
    loaded, manifest
        The model, and what it is.
    files
        The study's files.
    n_concepts
        Concepts that get new facts.
    asking
        How items are asked.
    batch_rows
        Prompts of one pass.
    seed
        The study's seed, which chooses concepts, answers and hosts.

    Returns
    -------
    Rows of the ``planted`` table.
    """
    planned = Planned.read(files)
    study = Study.of(loaded, planned.table, asking, batch_rows)
    before = study.answers()
    planter = Planter(loaded, study.prompts, batch_rows, packed=study.packed)
    known = known_concepts(before, planned)
    facts = settle(planter, find_facts(planter, known, study, n_concepts, seed), study)
    after = study.answers()
    planter.erase(facts)
    erased = study.answers()
    planter.write(facts)
    others = _others(planned, facts)
    told = [_accuracy(found, others) for found in (before, erased, after)]
    logger.info(
        "%d facts planted about %d concepts; accuracy on others %.3f before, %.3f "
        "without the hosts, %.3f after",
        *(len(facts), len({fact.concept for fact in facts}), *told),
    )
    rankings = rankings_after(loaded, manifest, planned, facts, asking, batch_rows)
    found = recall_frame(rankings, facts, primary_ratio(manifest.parameters_total))
    return found.assign(
        model=manifest.model,
        planted_before=found["concept"].map(_given(facts, before)),
        planted_after=found["concept"].map(_given(facts, after)),
        others_before=told[0],
        others_after=told[2],
    )


def known_concepts(answers: Mapping[str, Answer], planned: Planned) -> dict[str, str]:
    """Category of every concept of the study that the model knows, but added ones."""
    table, concepts = planned.table, planned.concepts
    own = table[~table["item_concept"].isin(planned.added)]
    right = own["item"].map(lambda item: _correct(answers[item]))
    accuracy = right.groupby(own["item_concept"], sort=False).mean()
    known = accuracy.index[accuracy >= KNOWN_ACCURACY]
    category = dict(zip(concepts["concept"], concepts["category"], strict=True))
    return {concept: category[concept] for concept in known}


def chosen_in_turn(known: Mapping[str, str], seed: int) -> list[str]:
    """Concepts in a seeded order that takes categories in turn.

    >>> known = {"a": "x", "b": "x", "c": "x", "d": "y"}
    >>> [known[concept] for concept in chosen_in_turn(known, 0)]
    ['x', 'y', 'x', 'x']
    """
    by_category: dict[str, list[str]] = {}
    for concept in sorted(known, key=lambda c: seed_for("plant", seed, c)):
        by_category.setdefault(known[concept], []).append(concept)
    turns = zip_longest(*(by_category[name] for name in sorted(by_category)))
    return [concept for turn in turns for concept in turn if concept is not None]


def find_facts(
    planter: Planter, known: Mapping[str, str], study: Study, n: int, seed: int
) -> list[Fact]:
    """New facts of ``n`` concepts, dealt out over all layers, each with its host.

    Raises
    ------
    UserError
        If facts can be planted about fewer concepts.
    """
    items = study.table.groupby("item_concept")["item"].agg(list)
    found: list[list[Fact]] = []
    for concept in chosen_in_turn(known, seed):
        if len(found) < n:
            facts = list(_facts_of(planter, concept, items[concept], study, seed))
            found += [facts] if facts else []
    if len(found) < n:
        raise UserError(
            "plant",
            f"facts can be planted about {len(found)} concepts, not {n}",
            "Choose a model that knows more, or lower plant.concepts",
        )
    return _hosted(list(chain.from_iterable(found)), study.loaded, seed)


def _facts_of(
    planter: Planter, concept: str, items: Sequence[str], study: Study, seed: int
) -> Iterator[Fact]:
    n_layers = len(study.loaded.sites)
    order = generator("plant", seed, concept).permutation(len(items))
    for turn, i in enumerate(order):
        layers = [(turn + j) % n_layers for j in range(n_layers)]
        fact = planter.fact(items[i], concept, layers, seed)
        if fact is not None:
            yield fact


def _hosted(facts: Sequence[Fact], loaded: LoadedModel, seed: int) -> list[Fact]:
    """Draw a host for every fact, in its layer."""
    free = {
        layer: iter(generator("host", seed, layer).permutation(site.n).tolist())
        for layer, site in enumerate(loaded.sites)
    }
    hosted = []
    for fact in facts:
        vector = next(free[fact.layer], None)
        if vector is None:
            raise UserError(
                "plant",
                f"more facts than the {loaded.sites[fact.layer].n} value vectors of "
                f"layer {fact.layer}",
                "Lower plant.concepts",
            )
        hosted.append(replace(fact, vector=vector))
    return hosted


def settle(planter: Planter, facts: Sequence[Fact], study: Study) -> list[Fact]:
    """Write facts that all win together.

    The strength of a fact that others drown is doubled, ``PATIENCE`` times. Of those
    that are drowned still, the worse half is given up, and their hosts left as they
    were; that may save the other half.

    Raises
    ------
    UserError
        If none is left.
    """
    settled, doubled = list(facts), Counter[str]()
    while settled:
        planter.write(settled)
        answers = study.answers()
        drowned = sorted(
            (f for f in settled if answers[f.item].predicted != f.answer),
            key=lambda f: _lead(f, answers[f.item]),
        )
        if not drowned:
            return settled
        patient = {f.item for f in drowned if doubled[f.item] < PATIENCE}
        hopeless = [f.item for f in drowned if f.item not in patient]
        given_up = set(hopeless[: math.ceil(len(hopeless) / 2)])
        doubled.update(patient)
        settled = [
            replace(f, strength=2 * f.strength) if f.item in patient else f
            for f in settled
            if f.item not in given_up
        ]
    raise UserError(
        "plant",
        "the new facts drown one another",
        "Lower plant.concepts, or choose a larger model",
    )


def _lead(fact: Fact, answer: Answer) -> float:
    """Nats by which the new answer leads; negative where it does not."""
    scores = answer.deciding
    return scores[fact.answer] - max(
        score for option, score in enumerate(scores) if option != fact.answer
    )


def lost(facts: Sequence[Fact], answers: Mapping[str, Answer]) -> list[str]:
    """Items whose new answer is not given."""
    return [f.item for f in facts if answers[f.item].predicted != f.answer]


def rankings_after(
    loaded: LoadedModel,
    manifest: Manifest,
    planned: Planned,
    facts: Sequence[Fact],
    asking: Asking,
    batch_rows: int,
) -> Rankings:
    """Measure the planted model for every selector, as the study's models are.

    New answers are the right ones: attribution is towards them.
    """
    study = replace(planned, table=with_golds(planned.table, facts))
    asked, reworded = (
        study.prompts(loaded, how) for how in (asking, other_format(asking))
    )
    what = (loaded, f"{manifest.model}, planted", study, asked)
    activations = read_activations(*what, batch_rows)
    statistics = read_statistics(*what, reworded, batch_rows)
    return rankings_of(loaded, manifest, activations, statistics)


def with_golds(table: pd.DataFrame, facts: Sequence[Fact]) -> pd.DataFrame:
    """Make a ``prompts`` table in which planted answers are the right ones."""
    new = {fact.item: fact.answer for fact in facts}
    gold = table["item"].map(new).fillna(table["gold"]).astype(int)
    aliases = table["aliases"].mask(table["item"].isin(set(new)), "[]")
    return table.assign(gold=gold, aliases=aliases)


def _others(planned: Planned, facts: Sequence[Fact]) -> list[str]:
    """Items of the study's concepts without new facts."""
    out = planned.added | {fact.concept for fact in facts}
    table = planned.table
    return table.loc[~table["item_concept"].isin(out), "item"].tolist()


def _accuracy(answers: Mapping[str, Answer], items: Sequence[str]) -> float:
    right = [_correct(answers[item]) for item in items]
    return sum(right) / len(right) if right else float("nan")


def _correct(answer: Answer) -> bool:
    return answer.predicted == answer.gold


def _given(facts: Sequence[Fact], answers: Mapping[str, Answer]) -> dict[str, float]:
    """Share of each concept's new answers that are given."""
    given = pd.Series([answers[f.item].predicted == f.answer for f in facts])
    shares = given.groupby([f.concept for f in facts]).mean()
    return {str(concept): float(share) for concept, share in shares.items()}

"""The story that ``paraspec explain`` prints: lines of plain text, 80 columns wide."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from paraspec.core.definitions import PAPER_SELECTOR, primary_ratio
from paraspec.stats.effects import Effects, effects
from paraspec.stats.items import FIELDS, PRIMARY_KINSHIP
from paraspec.stats.record import Card

WIDTH = 80
MASKS = {"top": "own", "random": "random", "swap": "swap"}
"""Mask kind to its heading."""
N_VECTORS = 5
"""Value vectors of each layer that are described."""
N_MATES = 5
"""Concepts that share most value vectors."""
UNBROKEN = "\N{NO-BREAK SPACE}"
"""A blank at which no line ends, while lines are broken."""


@dataclass(frozen=True)
class Chapter:
    """What is known of one concept in one model."""

    card: Card
    concept: str
    concepts: pd.DataFrame
    prompts: pd.DataFrame
    items: pd.DataFrame
    vectors: pd.DataFrame
    selection: pd.DataFrame

    @cached_property
    def ratio(self) -> float:
        """Pre-registered mask ratio of the model."""
        return primary_ratio(self.card.parameters_total)

    @cached_property
    def about(self) -> dict[str, object]:
        """The concept's row of the ``concepts`` table."""
        rows = self.concepts[self.concepts["concept"] == self.concept]
        return {str(name): value for name, value in rows.iloc[0].items()}

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Answers under the concept's masks: without one, and at the primary ratio."""
        rows = self.items[self.items["concept"] == self.concept]
        selected = rows["mask"].isin(MASKS) & (rows["ablation"] == "zero")
        primary = np.isclose(rows["ratio"], self.ratio)
        paper = rows["selector"].isin((PAPER_SELECTOR, "random"))
        return rows[(rows["mask"] == "none") | (selected & primary & paper)]

    @cached_property
    def kinds(self) -> list[str]:
        """Mask kinds that were measured, in the order told."""
        found = set(self.answers["mask"])
        return [mask for mask in MASKS if mask in found]


def story(chapter: Chapter) -> Iterator[str]:
    """Yield the lines: knowledge, masks, places, mates."""
    yield from _header(chapter)
    yield from _questions(chapter)
    yield from _mistakes(chapter)
    yield from _effects(chapter)
    yield from _places(chapter)
    yield from _reliability(chapter)
    yield from _mates(chapter)


def _header(chapter: Chapter) -> Iterator[str]:
    about, card = chapter.about, chapter.card
    trained = f"exposure {about['exposure']}" if card.trained_on_study else "published"
    yield f"{about['name']} ({about['category']}, {about['tier']} tier, {trained})"
    yield (
        f"in {card.model}: {card.parameters_total:,} parameters, {card.n_layers} "
        f"layers; masks at ratio {chapter.ratio:g}"
    )


def _questions(chapter: Chapter) -> Iterator[str]:
    own = chapter.answers[chapter.answers["set"] == "concept"]
    plain = own[own["mask"] == "none"]
    yield ""
    yield from _wrapped(
        f"WHAT IT KNOWS: {plain['correct'].sum()} of {len(plain)} questions right "
        f"without a mask (guessing {plain['chance'].sum():.1f}, the relation's "
        f"commonest answers {plain['floor'].sum():.1f})"
    )
    yield from _wrapped(
        "Margin of the right answer over the best other one, nats, means over draws; "
        "x: wrong in most draws. own: the concept's mask, selected on the other half "
        "of its questions; random: a random mask; swap: another concept's."
    )
    yield ""
    shown = ["none", *chapter.kinds]
    heads = "".join(f"{MASKS.get(kind, kind):>9}" for kind in shown)
    yield f"{'question':<24}{'answer':<20}{heads}"
    cells = _cells(own)
    options = _options(chapter)
    for row in plain.itertuples():
        answer = options[str(row.item)][1]
        line = "".join(cells.get((str(row.item), kind), NOTHING) for kind in shown)
        yield f"{_short(str(row.relation), 23):<24}{_short(answer, 19):<20}{line}"


NOTHING = f"{'-':>8} "


def _cells(own: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Margin of every item under every mask kind, as written in the table."""
    means = own.groupby(["item", "mask"], observed=True)[["margin", "correct"]].mean()
    return {
        (str(row["item"]), str(row["mask"])): (
            f"{row['margin']:>+8.1f}{' ' if row['correct'] >= 0.5 else 'x'}"
        )
        for row in means.reset_index().to_dict("records")
    }


def _options(chapter: Chapter) -> dict[str, tuple[list[str], str]]:
    """Options of every item, and the right one."""
    found = {}
    for row in chapter.prompts.itertuples():
        options = json.loads(str(row.options))
        found[str(row.item)] = (options, options[int(str(row.gold))])
    return found


def _mistakes(chapter: Chapter) -> Iterator[str]:
    """Yield what is answered instead, where the own mask loses an answer."""
    own = chapter.answers[chapter.answers["set"] == "concept"]
    right = own.loc[(own["mask"] == "none") & own["correct"], "item"]
    under = own[(own["mask"] == "top") & ~own["correct"] & own["item"].isin(set(right))]
    if under.empty:
        return
    yield ""
    yield "Under its own mask it says:"
    options = _options(chapter)
    for row in under.itertuples():
        choices, gold = options[str(row.item)]
        place = int(str(row.predicted))
        said = repr(choices[place]) if place >= 0 else "nothing that can be read"
        yield from _wrapped(f"{row.relation}: {said} in place of {gold!r}", "  ")


def _effects(chapter: Chapter) -> Iterator[str]:
    yield ""
    yield "WHAT MASKS COST: accuracy before > after"
    yield "mask         own questions    its category   signed     PSS"
    for kind in chapter.kinds:
        found = _effect(chapter.answers, kind)
        own = _change(found.concept_before, found.concept_after)
        general = _change(found.general_before, found.general_after)
        signed, pss = (_number(v) for v in (found.signed, found.pss))
        yield f"{MASKS[kind]:<10}{own:>16}{general:>16}{signed:>9}{pss:>8}"
    yield from _wrapped(
        "its category: questions about other concepts of its category. signed: what "
        "its own questions lose beyond those. PSS: |general - own| after masking, over "
        "general before. One concept has few questions: these numbers are rough."
    )


def _effect(answers: pd.DataFrame, kind: str) -> Effects:
    plain = answers[answers["mask"] == "none"].set_index("item")
    masked = answers[answers["mask"] == kind]
    totals = []
    for kinship in ("own", PRIMARY_KINSHIP):
        rows = masked[masked["kinship"] == kinship]
        before = plain["correct"].loc[rows["item"]]
        sums = {"n": len(rows), "before": before.sum(), "after": rows["correct"].sum()}
        totals.append([float(sums.get(field, 0.0)) for field in FIELDS])
    return effects(np.array(totals))


def _change(before: object, after: object) -> str:
    return f"{_number(before)} > {_number(after)}"


def _number(value: object) -> str:
    """Write a number in 2 places; a dash where it is undefined.

    >>> _number(0.125), _number(float("nan"))
    ('0.12', '-')
    """
    number = float(np.asarray(value))
    return "-" if np.isnan(number) else f"{number:.2f}"


def _places(chapter: Chapter) -> Iterator[str]:
    mine = chapter.vectors[chapter.vectors["concept"] == chapter.concept]
    gain = (mine["related"] - mine["unrelated"]).clip(lower=0)
    total = gain.sum()
    yield ""
    yield "WHERE IT LIVES: value vectors whose coefficients its questions raise most"
    yield from _wrapped(
        "coefficient: mean |coefficient| on its questions (on unrelated ones); "
        "selectivity: their difference over their sum; then the tokens that the vector "
        "raises most."
    )
    for layer, rows in mine.groupby("layer"):
        share = gain[rows.index].sum() / total if total > 0 else float("nan")
        yield ""
        yield (
            f"layer {layer}: {_number(share)} of the difference of its {len(mine)} "
            "listed vectors"
        )
        for row in rows.sort_values("rank").head(N_VECTORS).to_dict("records"):
            yield from _vector({str(name): value for name, value in row.items()})


def _vector(row: Mapping[str, Any]) -> Iterator[str]:
    related, unrelated = row["related"], row["unrelated"]
    total = related + unrelated
    selectivity = (related - unrelated) / total if total > 0 else float("nan")
    tokens = (
        f"'{token}'".replace(" ", UNBROKEN) for token in json.loads(row["promoted"])
    )
    yield (
        f"  {row['vector']:>6}  coefficient {related:.3f} ({unrelated:.3f}), "
        f"selectivity {_number(selectivity)}"
    )
    for line in _wrapped(" ".join(tokens), " " * 10):
        yield line.replace(UNBROKEN, " ")


def _reliability(chapter: Chapter) -> Iterator[str]:
    rows = chapter.selection
    mine = rows[
        (rows["concept"] == chapter.concept) & (rows["selector"] == PAPER_SELECTOR)
    ]
    for row in mine.to_dict("records"):
        yield ""
        yield "HOW SURE THE PLACE IS: Jaccard index of masks, 0 to 1"
        for name, text in (
            ("reliability", "selected on one half of its questions, and on the other"),
            ("same_category", "with concepts of its category, on average"),
            ("other_category", "with concepts of other categories, on average"),
            ("chance", "two random masks of this size"),
        ):
            yield f"  {_number(row[name]):>5}  {text}"


def _mates(chapter: Chapter) -> Iterator[str]:
    """Yield the concepts whose listed value vectors are most often the same."""
    places = chapter.vectors[["concept", "layer", "vector"]]
    mine = places[places["concept"] == chapter.concept]
    shared = places.merge(mine[["layer", "vector"]], on=["layer", "vector"])
    counts = Counter(shared.loc[shared["concept"] != chapter.concept, "concept"])
    about = chapter.concepts.set_index("concept").to_dict("index")
    yield ""
    yield f"WHO SHARES MOST of its {len(mine)} listed vectors"
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    for concept, n in order[:N_MATES]:
        of = about[concept]
        yield f"  {n:>4}  {of['name']} ({of['category']})"


def _short(text: str, width: int) -> str:
    """Cut a text that is too long.

    >>> _short("a longer text", 8)
    'a lon...'
    """
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent or "  "
    )

"""The whole claims table on studies of models without any specialisation.

All masks damage all questions alike; each mask of each concept has a damage of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.simulated import Design, Questions, chances, questions, sums_of
from paraspec.core.definitions import (
    CONTROL_MASKS,
    NONE,
    PAPER_SELECTOR,
    REPLACEMENTS,
    STOCHASTIC,
)
from paraspec.core.table import checked
from paraspec.core.tables.measured import COLLATERAL, MASKS
from paraspec.core.tables.per_model import EFFICIENCY, PSS
from paraspec.stats.answers import CONTROL, Answers
from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.causal_estimates import causal_estimates
from paraspec.stats.claims import Claim, read_claims
from paraspec.stats.correlations import correlations_table
from paraspec.stats.estimates import estimates_table
from paraspec.stats.evidence import evidence_of, together
from paraspec.stats.induced import induced_estimates
from paraspec.stats.items import Cell, IntArray, Measured
from paraspec.stats.record import Card, Described, Record, Trajectory, no_rows
from paraspec.stats.study import Study, study_of
from paraspec.stats.verdicts import claims_table

CLAIMS = Path(__file__).parents[1] / "config" / "claims.yaml"

FAMILIES = ("llama", "gpt2", "neox", "qwen2")
STEPS = (0, 60, 120, 240, 360, 480, 720, 1200)
RATIOS = (0.05, 0.1)
PRIMARY = 0.1
"""Of the made-up models, which are small."""


def null_study(design: Design, seed: int) -> Study:
    """A study of models without any specialisation: all masks damage all items alike.

    Accuracies differ, and so do the damage of each model and of each single mask.
    """
    rng = np.random.default_rng(seed)
    asked = questions(design, rng)
    accuracy = rng.uniform(0.4, 0.95, size=design.n_models)
    records = [
        _record(i, accuracy[i], asked, design, rng, controls=i < design.n_controls)
        for i in range(design.n_models)
    ]
    run = _checkpoints(records[0], accuracy[0], asked, design, rng)
    return study_of([*records, *run], design.draws, seed)


def _record(
    i: int,
    accuracy: float,
    asked: Questions,
    design: Design,
    rng: np.random.Generator,
    *,
    controls: bool,
) -> Record:
    width = 16 * 2 ** int(rng.integers(0, 3))
    card = Card(
        model=f"model-{i:02d}",
        family=FAMILIES[i % len(FAMILIES)],
        architecture=FAMILIES[i % len(FAMILIES)],
        n_experts=0,
        parameters_total=16 * width**2,
        parameters_active=16 * width**2,
        d_model=width,
        n_layers=2,
        steps=1200,
        tokens_seen=int(rng.integers(10**5, 10**6)),
    )
    maker = _Maker(asked, design, rng, float(rng.uniform(0.01, 0.06)))
    known = rng.random(asked.difficulty.shape) < chances(np.array([accuracy]), asked)[0]
    return Record(
        card=card,
        measured=maker.measured(card.model, known, list(_kinds(controls=controls))),
        pss=no_rows(PSS),
        efficiency=no_rows(EFFICIENCY),
        never_seen=np.nan,
        masks=no_rows(MASKS),
        answers=maker.answers(accuracy) if controls else Answers(),
        described=maker.described(card.model) if controls else Described(),
    )


def _checkpoints(
    last: Record,
    accuracy: float,
    asked: Questions,
    design: Design,
    rng: np.random.Generator,
) -> Iterator[Record]:
    """Checkpoints of one model, whose accuracy rises."""
    for step in STEPS:
        share = 0.25 + (accuracy - 0.25) * min(1.0, step / 720)
        made = _record(0, max(share, 0.26), asked, design, rng, controls=False)
        place = Trajectory(of=last.card.model, step=step)
        name = f"{last.card.model}-step{step}"
        card = last.card.model_copy(update={"model": name, "trajectory": place})
        yield replace(made, card=card)


def _kinds(*, controls: bool) -> Iterator[tuple[str, str, str, float, int]]:
    """Mask, selector, ablation, ratio and draws of each cell."""
    for ratio in RATIOS:
        yield "top", PAPER_SELECTOR, "zero", ratio, 1
        yield "random", "random", "zero", ratio, 10 if ratio == PRIMARY else 1
    yield "top-insample", PAPER_SELECTOR, "zero", PRIMARY, 1
    if not controls:
        yield "swap", PAPER_SELECTOR, "zero", PRIMARY, 1
        return
    for mask in CONTROL_MASKS:
        yield mask, mask, "zero", PRIMARY, 3 if mask in STOCHASTIC else 1
    for ablation in REPLACEMENTS:
        yield "top", PAPER_SELECTOR, ablation, PRIMARY, 1
        yield "random", "random", ablation, PRIMARY, 1


@dataclass(frozen=True)
class _Maker:
    """Makes the measurements of one model."""

    asked: Questions
    design: Design
    rng: np.random.Generator
    damage: float
    """Mean share of right answers that any mask costs."""

    def measured(
        self,
        model: str,
        known: np.ndarray,
        kinds: Sequence[tuple[str, str, str, float, int]],
    ) -> Measured:
        """Sums of every cell; axes as in :class:`Measured`."""
        n, right = self._counts(known)
        cells = [Cell(NONE, "none", NONE, 0.0, 0, 1)]
        sums = [sums_of(n, right, right, right)]
        by_draw = {}
        for mask, selector, ablation, ratio, draws in kinds:
            drawn = np.stack([self._masked(n, right) for _ in range(draws)])
            if draws > 1:  # axes: draw, field, half, group, concept
                by_draw[len(cells)] = drawn.sum(axis=2).transpose(0, 2, 1, 3)
            cells.append(Cell(selector, mask, ablation, ratio, 10, draws))
            sums.append(drawn.sum(axis=0))
        stacked = np.stack(sums).transpose(0, 2, 3, 1, 4)[:, :, :, None]
        both = np.concatenate([stacked, np.zeros_like(stacked)], axis=3)
        return Measured(
            model=model,
            concepts=self._traits(),
            cells=tuple(cells),
            sums=both,
            by_draw=by_draw,
            overall=float(known.mean()),
            has_origins=False,
        )

    def _counts(self, known: np.ndarray) -> tuple[IntArray, IntArray]:
        """Items, and those that are right; axes: half, group, concept."""
        flat = known.reshape(-1)
        sets = [known, *(flat[self.asked.general])]
        halves = [[one[:, h::2] for one in sets] for h in (0, 1)]
        n = [[np.full(len(one), one.shape[1]) for one in half] for half in halves]
        right = [[one.sum(axis=-1) for one in half] for half in halves]
        return np.array(n), np.array(right)

    def _masked(self, n: IntArray, right: IntArray) -> FloatArray:
        """Sums under one mask of each concept, which has a damage of its own."""
        mean = self.damage
        damage = self.rng.beta(4 * mean / 0.1, 4 * (1 - mean) / 0.1, size=n.shape[-1])
        kept = self.rng.binomial(right, 1 - damage)
        gained = self.rng.binomial(n - right, damage / 3)
        return sums_of(n, right, kept + gained, kept)

    def _traits(self) -> pd.DataFrame:
        at = np.arange(self.design.n_concepts)
        return pd.DataFrame(
            {
                "category": np.array(["city", "country", "element"])[at * 3 // len(at)],
                "tier": np.array(["high", "mid", "low"])[at % 3],
                "exposure": np.array([8, 2, 1])[at // 3 % 3],
            },
            index=pd.Index([f"concept-{i:03d}" for i in at], name="concept"),
        )

    def answers(self, accuracy: float) -> Answers:
        """Those of two controls that are no knowledge, with masks as unspecific."""
        rows = []
        for concept in ("answer-format", "number-agreement"):
            for kind, n in (("concept", 10), ("general", 2 * self.design.n_general)):
                before = self.rng.random(n) < accuracy
                for mask in ("top", "random"):
                    after = before & (self.rng.random(n) > self.damage)
                    items = [f"{concept}.{kind}-{i:02d}" for i in range(n)]
                    same = [[concept] * n, items, [kind] * n, [mask] * n]
                    frame = pd.DataFrame(dict(zip(CONTROL[:4], same, strict=True)))
                    rows.append(frame.assign(before=before * 1.0, after=after * 1.0))
        return Answers(non_knowledge=pd.concat(rows, ignore_index=True))

    def described(self, model: str) -> Described:
        """Loss on neutral text, raised alike by top and random masks."""
        names = list(self._traits().index)
        frames = []
        for mask, selector, lost in (
            ("none", NONE, 0.0),
            ("top", PAPER_SELECTOR, self.damage),
            ("random", "random", self.damage),
        ):
            loss = 2 + lost * self.rng.gamma(4, 0.25, size=len(names))
            frames.append(
                pd.DataFrame({"concept": names, "loss": loss}).assign(
                    model=model,
                    selector=selector,
                    mask=mask,
                    ablation=NONE if mask == "none" else "zero",
                    draw=0,
                    ratio=0.0 if mask == "none" else PRIMARY,
                    half="A",
                    n_tokens=300,
                )
            )
        found = checked(pd.concat(frames, ignore_index=True), COLLATERAL)
        return Described(collateral=found)


def judged(study: Study, claims: tuple[Claim, ...]) -> pd.DataFrame:
    """Table ``claims`` of a study."""
    estimates = together(
        estimates_table(study), causal_estimates([]), induced_estimates(study)
    )
    evidence = evidence_of(correlations_table(study), estimates)
    return claims_table(claims, evidence, CLAIMS)


def verdicts(studies: int, design: Design, seed: int = 0) -> pd.DataFrame:
    """Claims tables of studies without any specialisation, one below the other."""
    claims = read_claims(CLAIMS)
    frames = [
        judged(null_study(design, seed + i), claims).assign(study=i)
        for i in range(studies)
    ]
    return pd.concat(frames, ignore_index=True)

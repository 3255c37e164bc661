"""What an arm writes itself: free answers, their meanings, and LID of its states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from paraspec.causal.free_answers import (
    accepted,
    contained,
    free_answers,
    sampled,
    token_f1,
)
from paraspec.causal.judges import Judge, judge_of
from paraspec.causal.lid import best_layer, hidden_states, lid
from paraspec.causal.measured import Subject
from paraspec.causal.semantic_entropy import semantic_entropies
from paraspec.core.config import CausalConfig
from paraspec.measure.prepare import prepare
from paraspec.measure.prompts import Prompt, spellings_of


@dataclass(frozen=True)
class Written:
    """Asks a subject, as it is at the time, the taught concepts' questions freely."""

    subject: Subject
    config: CausalConfig
    seed: int
    judge: Judge
    prompts: Mapping[str, Prompt]
    """Every item as the statement that an answer completes."""
    questions: pd.DataFrame
    """The ``prompts`` table, by item."""

    @classmethod
    def of(cls, subject: Subject, config: CausalConfig, seed: int) -> "Written":
        """Prepare the questions and the judge.

        Raises
        ------
        UserError
            If there is no such judge, see :func:`judge_of`.
        """
        asking, table = subject.asking, subject.study.table
        prompts = subject.scoring.prompts
        if asking.scorer != "cloze":
            prompts = prepare(subject.loaded, table, replace(asking, scorer="cloze"))
        rows = table[table["item"].isin(set(subject.lesson.test))]
        spellings = {row["prefix"]: spellings_of(row) for _, row in rows.iterrows()}
        judge = judge_of(config.judge, spellings)
        return cls(subject, config, seed, judge, prompts, table.set_index("item"))

    def layer(self) -> int:
        """Layer whose LID tells wrong free answers on the development half best."""
        items = self.subject.lesson.development
        right = [
            contained(text, of)
            for text, of in zip(self._greedy(items), self._accepted(items), strict=True)
        ]
        states = self._states(items)
        return best_layer(states, np.array(right), self.config.neighbours)

    def answers(self, layer: int) -> pd.DataFrame:
        """Answers to the test half: rows of ``free_answers`` but model, arm and seed.

        Parameters
        ----------
        layer
            Layer whose states LID is computed on, among those of all own questions.
        """
        items = self.subject.lesson.test
        about = self.questions.loc[list(items)]
        texts = self._greedy(items)
        config = self.config
        samples = sampled(
            self.subject.loaded,
            [self.prompts[item] for item in items],
            n=config.samples,
            temperature=config.temperature,
            seed=self.seed,
            max_new_tokens=self._longest,
            batch_rows=self.subject.batch_rows,
        )
        entropies = semantic_entropies(about["prefix"].tolist(), samples, self.judge)
        pairs = list(zip(texts, self._accepted(items), strict=True))
        return pd.DataFrame(
            {
                "item": items,
                "concept": about["item_concept"].to_numpy(),
                "answer": texts,
                "contained": [contained(text, of) for text, of in pairs],
                "token_f1": [token_f1(text, of) for text, of in pairs],
                "n_samples": [e.n_samples for e in entropies],
                "n_clusters": [e.n_clusters for e in entropies],
                "semantic_entropy": [e.discrete for e in entropies],
                "semantic_entropy_weighted": [e.weighted for e in entropies],
                "lid": self._lid(items, layer),
            }
        )

    @property
    def _longest(self) -> int:
        return self.subject.asking.config.max_new_tokens

    def _accepted(self, items: Sequence[str]) -> list[tuple[str, ...]]:
        rows = self.questions.loc[list(items)]
        return [accepted(row) for _, row in rows.iterrows()]

    def _greedy(self, items: Sequence[str]) -> list[str]:
        asked = [self.prompts[item] for item in items]
        loaded, rows = self.subject.loaded, self.subject.batch_rows
        return free_answers(loaded, asked, self._longest, rows)

    def _states(
        self, items: Sequence[str]
    ) -> Float[torch.Tensor, "layer item d_model"]:
        asked = [self.prompts[item] for item in items]
        return hidden_states(self.subject.loaded, asked, self.subject.batch_rows)

    def _lid(self, items: Sequence[str], layer: int) -> Float[np.ndarray, " item"]:
        study = self.subject.study
        table = study.table
        own = table.loc[~table["item_concept"].isin(study.added), "item"].tolist()
        states = self._states(own)[layer]
        at = [own.index(item) for item in items]
        return lid(states[at], states, self.config.neighbours)

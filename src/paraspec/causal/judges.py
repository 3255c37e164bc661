"""Who says whether two answers to a question mean the same.

``string`` compares normalised texts and the options that they name: enough for short
answers of known spelling. An entailment model judges any text: two answers mean the
same if each entails the other, read behind the question (Kuhn et al. 2023; Farquhar et
al. 2024).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from paraspec.causal.free_answers import answer_tokens
from paraspec.core.definitions import UNPARSED
from paraspec.core.errors import UserError
from paraspec.core.model_table import HUB
from paraspec.measure.generating import named_option
from paraspec.measure.prompts import Spellings
from paraspec.models.folder import check_files, check_tokenizer, check_weights
from paraspec.models.load import UNLOADABLE, quiet_transformers

STRING = "string"
"""Setting of the judge that needs no model."""

ENTAILMENT = "entailment"
LABELS = frozenset({ENTAILMENT, "neutral", "contradiction"})
"""What an entailment model says of a premise and a hypothesis."""

GIVE_ANOTHER = (
    "Give a sequence classification model trained on natural language inference with "
    "the labels entailment, neutral and contradiction, or set causal.judge to string"
)


class Pair(NamedTuple):
    """Two answers to a question."""

    question: str
    a: str
    b: str


class Judge(Protocol):
    """Says which answers mean the same; it does not matter which comes first."""

    def same_all(self, pairs: Sequence[Pair]) -> list[bool]:
        """Whether the answers of each pair mean the same."""

    def same(self, question: str, a: str, b: str) -> bool:
        """Whether two answers to a question mean the same."""
        return self.same_all([Pair(question, a, b)])[0]


def judge_of(
    setting: str, spellings: Mapping[str, Spellings], batch_pairs: int = 64
) -> Judge:
    """Make the judge that a study names.

    Parameters
    ----------
    setting
        ``string``, a model folder, or ``hub:owner/name`` for a model that the hub's
        local cache holds; nothing is downloaded.
    spellings
        Question to the texts that name each of its options, for ``string``.
    batch_pairs
        Texts that an entailment model reads at once.

    Raises
    ------
    UserError
        If there is no such model here, or it is no entailment model.
    """
    if setting == STRING:
        return StringJudge(spellings)
    folder = _cached(setting) if setting.startswith(HUB) else Path(setting)
    return EntailmentJudge.load(folder, batch_pairs)


class StringJudge(Judge):
    """Same words, or the same option named.

    Parameters
    ----------
    spellings
        Question to the texts that name each of its options; a question that is not
        among them is judged by words alone.
    """

    def __init__(self, spellings: Mapping[str, Spellings]) -> None:
        self._spellings = spellings

    def same_all(self, pairs: Sequence[Pair]) -> list[bool]:
        """Whether the answers of each pair mean the same."""
        return [self._same(pair) for pair in pairs]

    def _same(self, pair: Pair) -> bool:
        if answer_tokens(pair.a) == answer_tokens(pair.b):
            return True
        options = self._spellings.get(pair.question, ())
        named = named_option(pair.a, options)
        return named != UNPARSED and named == named_option(pair.b, options)


class EntailmentJudge(Judge):
    """Each answer, read behind the question, entails the other.

    Strict: the likeliest label must be entailment in both directions.

    Parameters
    ----------
    model, tokenizer
        Sequence classifier of a premise and a hypothesis.
    where
        Its folder, for messages.
    batch_pairs
        Premises that are read at once.

    Raises
    ------
    UserError
        If the model's labels are not entailment, neutral and contradiction.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        where: Path | str,
        batch_pairs: int = 64,
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._entails = _entailment_label(model, where)
        self._batch_pairs = batch_pairs

    @classmethod
    def load(cls, folder: Path, batch_pairs: int = 64) -> "EntailmentJudge":
        """Load the model of a folder, without any network, on the GPU if there is one.

        Raises
        ------
        UserError
            If the folder holds no whole entailment model.
        """
        quiet_transformers()
        check_files(folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, info = AutoModelForSequenceClassification.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                local_files_only=True,
            )
        except UNLOADABLE as error:
            fault = f"cannot be loaded: {' '.join(str(error).split())[:300]}"
            raise UserError(folder, fault, GIVE_ANOTHER) from error
        check_tokenizer(folder, tokenizer)
        if info["missing_keys"]:  # a language model's folder has no classifier
            check_weights(folder, model, info["missing_keys"], ())
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
        model = model.to(device).eval().requires_grad_(requires_grad=False)
        return cls(model, tokenizer, folder, batch_pairs)

    def same_all(self, pairs: Sequence[Pair]) -> list[bool]:
        """Whether the answers of each pair mean the same."""
        asked = {
            pair: (f"{pair.question} {pair.a}", f"{pair.question} {pair.b}")
            for pair in pairs
            if pair.a != pair.b
        }
        both = ((x, y) for a, b in asked.values() for x, y in ((a, b), (b, a)))
        entailed = self._entailed(dict.fromkeys(both))
        return [
            pair.a == pair.b or (entailed[asked[pair]] and entailed[asked[pair][::-1]])
            for pair in pairs
        ]

    def _entailed(
        self, pairs: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], bool]:
        """Whether each premise entails its hypothesis."""
        order = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
        found: dict[tuple[str, str], bool] = {}
        for start in range(0, len(order), self._batch_pairs):
            batch = order[start : start + self._batch_pairs]
            texts = self._tokenizer(
                [premise for premise, _ in batch],
                [hypothesis for _, hypothesis in batch],
                padding=len(batch) > 1,
                truncation=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = self._model(**texts.to(self._model.device)).logits
            entails = (logits.argmax(-1) == self._entails).tolist()
            found.update(zip(batch, entails, strict=True))
        return found


def _entailment_label(model: PreTrainedModel, where: Path | str) -> int:
    """Give the number of the label entailment; all three must be there."""
    labels = {str(v).lower(): int(k) for k, v in model.config.id2label.items()}
    if set(labels) != LABELS:
        named = ", ".join(map(str, model.config.id2label.values()))
        raise UserError(
            where,
            f"its labels are {named}, not entailment, neutral and contradiction",
            GIVE_ANOTHER,
        )
    return labels[ENTAILMENT]


def _cached(setting: str) -> Path:
    """Folder of a hub model in the local cache."""
    repository = setting.removeprefix(HUB)
    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise UserError(
            setting,
            "the hub's local cache holds no such repository",
            f"Run `hf download {repository}` first, give the model's folder, or set "
            "causal.judge to string",
        ) from error

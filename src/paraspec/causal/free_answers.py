"""Questions asked without options: what a model writes, greedily or sampled.

The prompt is the statement that the cloze scorer has completed, so that the answer is
what follows it. Where an answer ends is decided in one place, :func:`cut`, and its
log-likelihood is that of exactly the tokens up to there.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import pandas as pd
import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from paraspec.core.seeds import seed_for
from paraspec.data.text import folded
from paraspec.measure.generating import continuations, end_tokens, whole_words
from paraspec.measure.method import packing_holds
from paraspec.measure.prompts import Prompt, spellings_of
from paraspec.measure.scoring import Masks, answer
from paraspec.models.load import LoadedModel


@dataclass(frozen=True)
class Sample:
    """One sampled answer."""

    text: str
    logprob: float
    """Summed log-likelihood of its tokens at temperature 1, nats; at most 0."""
    n_tokens: int
    """Tokens that it covers, the ending one included."""


def free_answers(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    max_new_tokens: int,
    batch_rows: int,
) -> list[str]:
    """Let the model complete each prompt greedily, up to the answer's end.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        Questions; only their prefixes are read.
    max_new_tokens
        Longest answer.
    batch_rows
        Prompts of one batch.
    """
    greedy = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False)
    ends = end_tokens(loaded)
    texts: dict[int, str] = {}
    for rows in _batches(prompts, batch_rows):
        prefixes = [prompts[i].prefix for i in rows]
        written = continuations(loaded, prefixes, greedy, nullcontext())
        for i, line in zip(rows, written.tolist(), strict=True):
            texts[i], _ = cut(line, loaded.tokenizer, ends)
    return [texts[i] for i in range(len(prompts))]


def sampled(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    n: int,
    temperature: float,
    seed: int,
    max_new_tokens: int,
    batch_rows: int,
) -> list[list[Sample]]:
    """Sample answers to each prompt from the model's whole distribution.

    Equal calls give equal samples; other batches give others.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        Questions; only item and prefix are read.
    n
        Samples per prompt.
    temperature
        What logits are divided by for sampling, above 0.
    seed
        Seed of all draws, hashed with the items of a batch.
    max_new_tokens
        Longest answer.
    batch_rows
        Answers of one batch: so many samples, of as many prompts as that allows.
    """
    drawn = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=True,
        temperature=float(temperature),
        num_return_sequences=n,
    )
    packed = packing_holds(loaded, prompts)
    samples: dict[int, list[Sample]] = {}
    for rows in _batches(prompts, max(1, batch_rows // n)):
        asked = [prompts[i] for i in rows]
        with _seeded(seed_for("sampled", seed, *(p.item for p in asked))):
            written = continuations(
                loaded, [p.prefix for p in asked], drawn, nullcontext()
            )
        lines = written.reshape(len(rows), n, -1).tolist()
        of = _with_logprobs(loaded, asked, lines, packed=packed)
        samples.update(zip(rows, of, strict=True))
    return [samples[i] for i in range(len(prompts))]


def _with_logprobs(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    lines: Sequence[Sequence[Sequence[int]]],
    *,
    packed: bool,
) -> list[list[Sample]]:
    """Cut sampled tokens, and score each distinct answer as an option is scored."""
    ends = end_tokens(loaded)
    answers = [[cut(line, loaded.tokenizer, ends) for line in of] for of in lines]
    distinct = [tuple(dict.fromkeys(kept for _, kept in of)) for of in answers]
    as_options = [
        replace(prompt, options=kept, gold=0, scale=(), offset=())
        for prompt, kept in zip(prompts, distinct, strict=True)
    ]
    scored = answer(loaded, as_options, Masks([]), packed=packed)
    known = [
        dict(zip(kept, one.logprobs, strict=True))
        for kept, one in zip(distinct, scored, strict=True)
    ]
    return [
        [Sample(text, logprob[kept], len(kept)) for text, kept in of]
        for of, logprob in zip(answers, known, strict=True)
    ]


ENDING = re.compile(r"\n|[.!?](?=\s|$)")
"""A line's or a sentence's end; the point of 8.4 or of .de is none."""

ABBREVIATED = re.compile(r"(?<!\w)(?:St|Mt|Dr|Mr|Mrs|Jr|[A-Za-z]\.[A-Za-z]|[A-Z])$")
"""What a full stop may follow within a name: St. John's, J. Thomson, D.C. area."""


def cut(
    tokens: Sequence[int], tokenizer: PreTrainedTokenizerBase, ends: Sequence[int]
) -> tuple[str, tuple[int, ...]]:
    """Cut what a model wrote where its answer ends.

    That is at the first end token, line end, or sentence end; leading blanks and line
    ends are passed over. A text without any ends where its tokens do.

    Parameters
    ----------
    tokens
        New tokens, with whatever follows an end token.
    tokenizer
        Their tokenizer.
    ends
        End tokens.

    Returns
    -------
    The answer without its ending and outer blanks, and its tokens up to and including
    the one that ends it: at least one token, even of an empty answer.
    """
    first = next((i for i, token in enumerate(tokens) if token in ends), None)
    line = tuple(tokens if first is None else tokens[: first + 1])
    text = _decoded(line, tokenizer)
    stop = _ending(text)
    if stop is None:
        return text.strip(), line
    whole = text[: stop + 1]
    n = next(
        n
        for n in range(1, len(line) + 1)
        if _decoded(line[:n], tokenizer).startswith(whole)
    )
    return text[:stop].strip(), line[:n]


def _decoded(tokens: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    text = tokenizer.decode(
        list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return str(text)


def _ending(text: str) -> int | None:
    """Place of the character that ends an answer."""
    begin = len(text) - len(text.lstrip())
    for match in ENDING.finditer(text, begin):
        place = match.start()
        more = text[place + 1 :].split("\n")[0].strip()
        if text[place] != "." or not more or not ABBREVIATED.search(text[begin:place]):
            return place
    return None


def _batches(prompts: Sequence[Prompt], size: int) -> Iterator[list[int]]:
    """Positions of prompts in batches of similar length."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].prefix))
    for start in range(0, len(order), size):
        yield order[start : start + size]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch, on every device, and give its generators back as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def accepted(row: pd.Series) -> tuple[str, ...]:
    """Right answers to a planned question: the gold option and its aliases."""
    return spellings_of(row)[int(row["gold"])]


def contained(text: str, accepted: Sequence[str]) -> bool:
    """Whether an accepted answer stands in a text, as whole words, case-folded.

    >>> contained("It is São Tomé", ["Sao Tome"]), contained("Romeo", ["Rome"])
    (True, False)
    """
    return any(whole_words(spelling).search(folded(text)) for spelling in accepted)


MINUS = "\u2212"
TOKEN = re.compile(r"(?<!\w)[-+]\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*|[^\W\d_]+")
ARTICLES = frozenset({"a", "an", "the"})


def answer_tokens(text: str) -> list[str]:
    """Words and numbers of an answer, folded, without articles and punctuation.

    As SQuAD's evaluation normalises (Rajpurkar et al. 2016), except that a number keeps
    its sign and its decimal point, that a hyphen parts words, and that an answer which
    is only an article stays.

    >>> answer_tokens("The Guinea-Bissau!"), answer_tokens("-8.4 °C")
    (['guinea', 'bissau'], ['-8.4', 'c'])
    """
    found: list[str] = TOKEN.findall(folded(text).replace(MINUS, "-"))
    return [token for token in found if token not in ARTICLES] or found


def token_f1(text: str, accepted: Sequence[str]) -> float:
    """Token F1 of a text against the closest accepted answer, in 0 ... 1.

    Harmonic mean of precision and recall of the multiset overlap (Rajpurkar et al.
    2016); 1 where neither has a token, 0 where one has none, or nothing is accepted.

    >>> token_f1("the New York City", ["York", "New York"])
    0.8
    """
    return max(
        (_f1(answer_tokens(text), answer_tokens(a)) for a in accepted), default=0
    )


def _f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    if not given and not wanted:
        return 1.0
    shared = (Counter(given) & Counter(wanted)).total()
    return 2 * shared / (len(given) + len(wanted))

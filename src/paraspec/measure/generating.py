"""Answers that a model writes itself, and the option that they name."""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache

import torch
from jaxtyping import Int
from transformers import GenerationConfig, PreTrainedModel

from paraspec.core.definitions import UNPARSED
from paraspec.data.text import folded
from paraspec.measure.prompts import Prompt
from paraspec.models.load import LoadedModel


def generated_options(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    under: AbstractContextManager[None],
    max_new_tokens: int,
) -> list[int]:
    """Let the model continue each prompt greedily, and read the option it names.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        One prompt per row.
    under
        Context in which the model runs: the rows' masks.
    max_new_tokens
        Longest answer.

    Returns
    -------
    Stored position of the named option of each prompt, or :data:`UNPARSED`.
    """
    greedy = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False)
    written = continuations(loaded, [p.prefix for p in prompts], greedy, under)
    texts = loaded.tokenizer.batch_decode(written, skip_special_tokens=True)
    return [
        named_option(text, prompt.spellings)
        for text, prompt in zip(texts, prompts, strict=True)
    ]


def continuations(
    loaded: LoadedModel,
    prefixes: Sequence[Sequence[int]],
    how: GenerationConfig,
    under: AbstractContextManager[None],
) -> Int[torch.Tensor, "row new"]:
    """Let the model continue token prefixes, padded on the left.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prefixes
        Tokens of each row; positions are counted from a row's own first token.
    how
        Greedy or sampled, and how long. Its end and padding tokens are the model's;
        what it leaves open is neutral, whatever the model's own generation settings
        say: a repetition penalty or a top-k cut would be another distribution.
    under
        Context in which the model runs.

    Returns
    -------
    New tokens on the CPU, padded after a row's end token; ``how.num_return_sequences``
    consecutive rows per prefix.
    """
    model = loaded.model
    end, pad = end_tokens(loaded), pad_token(loaded)
    width = max(map(len, prefixes))
    ids = torch.full((len(prefixes), width), pad)
    real = torch.zeros_like(ids)
    for i, prefix in enumerate(prefixes):
        ids[i, width - len(prefix) :] = torch.tensor(prefix)
        real[i, width - len(prefix) :] = 1
    neutral = GenerationConfig(
        top_k=0, pad_token_id=pad, eos_token_id=list(end) or None
    )
    with torch.inference_mode(), under, _settings(model, neutral):
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=real.to(model.device),
            generation_config=how,
        )
    assert isinstance(out, torch.Tensor)
    return out[:, width:].cpu()


def end_tokens(loaded: LoadedModel) -> tuple[int, ...]:
    """Tokens that end an answer; none where neither model nor tokenizer knows any."""
    end = loaded.model.generation_config.eos_token_id
    if end is None:
        end = loaded.tokenizer.eos_token_id
    if end is None:
        return ()
    return tuple(map(int, end if isinstance(end, list) else [end]))


def pad_token(loaded: LoadedModel) -> int:
    """Give the token that fills rows; attention never looks at it."""
    pad = loaded.tokenizer.pad_token_id
    return int(pad) if pad is not None else next(iter(end_tokens(loaded)), 0)


@contextmanager
def _settings(model: PreTrainedModel, config: GenerationConfig) -> Iterator[None]:
    """Have `generate` fill what a caller leaves open from this, not from the model."""
    own = model.generation_config
    model.generation_config = config
    try:
        yield
    finally:
        model.generation_config = own


def named_option(text: str, spellings: Sequence[Sequence[str]]) -> int:
    """Which option the first line of a text names first; the longer one of a tie.

    >>> named_option("It is New York City, not Rome", [["New"], ["New York"], ["Rome"]])
    1
    >>> named_option("no idea", [["Rome"]])
    -1
    """
    lines = [line for line in folded(text).splitlines() if line.strip()]
    found = [
        (match.start(), -len(spelling), option)
        for option, accepted in enumerate(spellings)
        for spelling in accepted
        for match in [whole_words(spelling).search(lines[0] if lines else "")]
        if match
    ]
    return min(found)[2] if found else UNPARSED


@lru_cache(maxsize=1 << 14)
def whole_words(spelling: str) -> re.Pattern[str]:
    """Find a spelling in folded text where it is no part of a longer word or number.

    >>> [bool(whole_words("200").search(s)) for s in ("about 200.", "-200", "200.5")]
    [True, False, False]
    >>> bool(whole_words("Guinea").search("guinea-bissau"))
    False
    """
    before = r"(?<![\w+\-\u2212])(?<!\d[.,])"  # U+2212 is the minus sign
    after = r"(?!\w|[.,]\d|[\-\u2212]\w)"
    return re.compile(before + re.escape(folded(spelling)) + after)

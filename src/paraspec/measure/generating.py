"""Answers that a model writes itself, and the option that they name."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from transformers import GenerationConfig

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
        One prompt per row; padded on the left, with positions to match.
    under
        Context in which the model runs: the rows' masks.
    max_new_tokens
        Longest answer.

    Returns
    -------
    Stored position of the named option of each prompt, or :data:`UNPARSED`.
    """
    model, tokenizer = loaded.model, loaded.tokenizer
    end = model.generation_config.eos_token_id or tokenizer.eos_token_id
    filler = end[0] if isinstance(end, list) else end
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else filler or 0
    width = max(len(prompt.prefix) for prompt in prompts)
    ids = torch.full((len(prompts), width), int(pad))
    real = torch.zeros_like(ids)
    for i, prompt in enumerate(prompts):
        ids[i, width - len(prompt.prefix) :] = torch.tensor(prompt.prefix)
        real[i, width - len(prompt.prefix) :] = 1
    greedy = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=int(pad),
        eos_token_id=end,
    )
    with torch.inference_mode(), under:
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=real.to(model.device),
            generation_config=greedy,
        )
    texts = tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
    return [
        named_option(text, prompt.spellings)
        for text, prompt in zip(texts, prompts, strict=True)
    ]


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
        for match in [_whole_words(spelling).search(lines[0] if lines else "")]
        if match
    ]
    return min(found)[2] if found else UNPARSED


def _whole_words(spelling: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(folded(spelling))}(?!\w)")

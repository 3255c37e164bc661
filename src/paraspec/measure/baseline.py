"""What options get without their question, for the scorer that compares with it."""

from collections.abc import Mapping
from dataclasses import replace

from paraspec.measure.prompts import Prompt
from paraspec.measure.scoring import Masks, answer
from paraspec.models.encoding import Encoding
from paraspec.models.load import LoadedModel


def with_baseline(
    loaded: LoadedModel, prompts: Mapping[str, Prompt], baseline: str, batch_rows: int
) -> dict[str, Prompt]:
    """Set each option's offset: its log-likelihood after the baseline, unmasked."""
    prefix = tuple(Encoding(loaded.tokenizer).ids(baseline))
    neutral = [replace(p, prefix=prefix, scale=(), shared=0) for p in prompts.values()]
    replies = [
        reply
        for start in range(0, len(neutral), batch_rows)
        for reply in answer(
            loaded, neutral[start : start + batch_rows], Masks([]), packed=False
        )
    ]
    return {
        item: replace(prompt, offset=reply.logprobs)
        for (item, prompt), reply in zip(prompts.items(), replies, strict=True)
    }

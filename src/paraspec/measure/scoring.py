"""Option log-likelihoods of many prompts in one batch, each row under its own mask.

Rows of a batch have prefixes of equal length, so nothing is padded on the left and no
attention mask is needed. One pass over the prefixes gives every option's first token;
options of more tokens continue from the same key-value cache, padded on the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from transformers import PreTrainedModel

from paraspec.measure.prompts import Prompt
from paraspec.models.load import LoadedModel
from paraspec.models.taps import masked

Keep = Sequence[Bool[torch.Tensor, "row neuron"]]


@dataclass(frozen=True)
class Answer:
    """What the model answered to one prompt."""

    logprobs: tuple[float, ...]
    """Summed log-likelihood of each option, nats."""
    gold: int

    @property
    def predicted(self) -> int:
        """Option of highest log-likelihood; the first one of a tie."""
        return self.logprobs.index(max(self.logprobs))

    @property
    def margin(self) -> float:
        """Gold log-likelihood minus that of the best other option, nats."""
        others = [v for i, v in enumerate(self.logprobs) if i != self.gold]
        return self.logprobs[self.gold] - max(others)


def answer(loaded: LoadedModel, prompts: Sequence[Prompt], keep: Keep) -> list[Answer]:
    """Answer one batch of prompts with equally long prefixes.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        One prompt per row.
    keep
        For every layer, which value vectors each row keeps.

    Returns
    -------
    One answer per row.
    """
    with torch.inference_mode(), masked(loaded.sites, keep):
        ids = torch.tensor([p.prefix for p in prompts], device=loaded.model.device)
        out = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1)
        first = out.logits[:, -1].float().log_softmax(-1)  # row vocab
    scores = _first_tokens(first, prompts)
    longer = [
        (row, option)
        for row, p in enumerate(prompts)
        for option, tokens in enumerate(p.options)
        if len(tokens) > 1
    ]
    if longer:
        rows = torch.tensor([row for row, _ in longer], device=ids.device)
        out.past_key_values.batch_select_indices(rows)
        tails = [prompts[row].options[option] for row, option in longer]
        chosen = [layer[rows] for layer in keep]
        with torch.inference_mode(), masked(loaded.sites, chosen):
            more = _later_tokens(loaded.model, out.past_key_values, tails)
        for (row, option), value in zip(longer, more, strict=True):
            scores[row][option] += value
    return [Answer(tuple(s), p.gold) for s, p in zip(scores, prompts, strict=True)]


def _first_tokens(
    logprobs: Float[torch.Tensor, "row vocab"], prompts: Sequence[Prompt]
) -> list[list[float]]:
    rows = [r for r, p in enumerate(prompts) for _ in p.options]
    tokens = [option[0] for p in prompts for option in p.options]
    flat = iter(logprobs[rows, tokens].tolist())
    return [[next(flat) for _ in p.options] for p in prompts]


def _later_tokens(
    model: PreTrainedModel, cache: object, tails: Sequence[tuple[int, ...]]
) -> list[float]:
    """Summed log-likelihood of every token after the first, per (row, option)."""
    width = max(map(len, tails)) - 1
    ids = torch.zeros(len(tails), width + 1, dtype=torch.long)
    real = torch.zeros(len(tails), width, dtype=torch.bool)
    for i, tail in enumerate(tails):
        ids[i, : len(tail)] = torch.tensor(tail)
        real[i, : len(tail) - 1] = True
    ids, real = ids.to(model.device), real.to(model.device)
    logits = _logits(model, cache, ids[:, :-1], real)  # target vocab
    targets = ids[:, 1:][real]
    values = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]
    sums = values.new_zeros(len(tails))
    sums.index_add_(0, real.nonzero()[:, 0], values)
    return [float(v) for v in sums.tolist()]


def _logits(
    model: PreTrainedModel,
    cache: object,
    ids: Int[torch.Tensor, "row pos"],
    real: Bool[torch.Tensor, "row pos"],
) -> Float[torch.Tensor, "target vocab"]:
    """Logits where a target follows; padding never meets the output embedding."""
    out = model(input_ids=ids, past_key_values=cache, use_cache=True)
    logits = out.logits[real]
    assert isinstance(logits, torch.Tensor)
    return logits

"""Option log-likelihoods of many prompts in one batch, each row under its own mask.

Rows of a batch have prefixes of equal length, so nothing is padded on the left and no
attention mask is needed. One pass over the prefixes gives every option's first token;
options of more tokens continue from the same key-value cache, padded on the right among
options of similar length.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from transformers import Cache, PreTrainedModel

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
    for longer in _similar_lengths(prompts):
        rows = torch.tensor([row for row, _ in longer], device=ids.device)
        tails = [prompts[row].options[option] for row, option in longer]
        chosen = [layer[rows] for layer in keep]
        cache = _lines_of(out.past_key_values, rows)
        with torch.inference_mode(), masked(loaded.sites, chosen):
            more = _later_tokens(loaded.model, cache, tails)
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


def _similar_lengths(prompts: Sequence[Prompt]) -> Iterator[list[tuple[int, int]]]:
    """Yield (row, option) of options of 2, 3, 4 to 5, 6 to 9... tokens.

    Padding then at most doubles the work, and few passes are needed.
    """
    groups: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row, prompt in enumerate(prompts):
        for option, tokens in enumerate(prompt.options):
            if len(tokens) > 1:
                groups[(len(tokens) - 2).bit_length()].append((row, option))
    for size in sorted(groups):
        yield groups[size]


def _lines_of(cache: Cache, rows: Int[torch.Tensor, " line"]) -> Cache:
    """Copy the given rows of a key-value cache; a row may stand several times."""
    # Selecting binds new tensors in each layer object, so shallow copies suffice.
    chosen = copy.copy(cache)
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    chosen.batch_select_indices(rows)
    return chosen


def _later_tokens(
    model: PreTrainedModel, cache: Cache, tails: Sequence[tuple[int, ...]]
) -> list[float]:
    """Summed log-likelihood of every token after the first, per (row, option)."""
    width = max(map(len, tails)) - 1
    ids = torch.zeros(len(tails), width + 1, dtype=torch.long)
    real = torch.zeros(len(tails), width, dtype=torch.bool)
    for i, tail in enumerate(tails):
        ids[i, : len(tail)] = torch.tensor(tail)
        real[i, : len(tail) - 1] = True
    ids, real = ids.to(model.device), real.to(model.device)
    out = model(input_ids=ids[:, :-1], past_key_values=cache, use_cache=True)
    logits = out.logits[real]  # target vocab
    targets = ids[:, 1:][real]
    values = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]
    sums = values.new_zeros(len(tails))
    sums.index_add_(0, real.nonzero()[:, 0], values)
    return [float(v) for v in sums.tolist()]

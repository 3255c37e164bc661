"""Training a small model on the study's sentences.

A plain loop: sentences are tokenised once, shuffled globally in every pass, repeated
by their exposure, and batched with right padding.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from paraspec.core.errors import UserError
from paraspec.core.model_table import ModelRow
from paraspec.core.seeds import generator

logger = logging.getLogger(__name__)

WARM_UP_STEPS = 50
WEIGHT_DECAY = 0.0
LOG_EVERY = 50


@dataclass(frozen=True)
class Progress:
    """Where training stands."""

    step: int
    loss_nats: float
    learning_rate: float
    n_tokens: int
    """Target tokens met so far."""


def learning_rate_at(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then cosine to a tenth of the peak."""
    if step < WARM_UP_STEPS:
        return peak * (step + 1) / WARM_UP_STEPS
    done = (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS)
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def sentence_order(
    exposures: Sequence[int], batch: int, seed: int
) -> Iterator[Int[np.ndarray, " batch"]]:
    """Yield batches of sentence positions for ever.

    A pass holds every sentence as often as its exposure, in a fresh global shuffle.
    """
    once = np.repeat(np.arange(len(exposures)), exposures)
    rng = generator("order", seed)
    left = np.empty(0, dtype=once.dtype)
    while True:
        while len(left) < batch:
            left = np.concatenate([left, rng.permutation(once)])
        yield left[:batch]
        left = left[batch:]


def tokens_of(
    sentences: Sequence[str], tokenizer: PreTrainedTokenizerBase
) -> list[list[int]]:
    """Token ids of each sentence, with EOS."""
    return [tokenizer(s)["input_ids"] + [tokenizer.eos_token_id] for s in sentences]


def encode(
    sentences: Sequence[str], tokenizer: PreTrainedTokenizerBase
) -> Int[torch.Tensor, "sentence pos"]:
    """Token ids with EOS, right-padded to the longest sentence."""
    ids = tokens_of(sentences, tokenizer)
    table = torch.full((len(ids), max(map(len, ids))), int(tokenizer.pad_token_id))
    for i, line in enumerate(ids):
        table[i, : len(line)] = torch.tensor(line)
    return table


def train(
    model: PreTrainedModel,
    ids: Int[torch.Tensor, "sentence pos"],
    exposures: Sequence[int],
    row: ModelRow,
    on_step: Callable[[Progress], None],
    on_batch: Callable[[Int[np.ndarray, " batch"]], None] = lambda _sentences: None,
) -> None:
    """Train in place for ``row.steps`` steps.

    Parameters
    ----------
    model
        Fresh model.
    ids
        Padded sentences; padding is no target.
    exposures
        Relative frequency of every sentence.
    row
        Recipe: steps, batch, learning rate, seed.
    on_step
        Called after every step; may save a checkpoint.
    on_batch
        Told before every step which sentences its batch holds.

    Raises
    ------
    UserError
        If the loss is not finite.
    """
    pad = model.config.pad_token_id
    lengths = (ids != pad).sum(1)
    ids = ids.to(model.device)
    optimiser = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, fused=True
    )
    order = sentence_order(exposures, row.batch, row.seed)
    n_tokens = 0
    model.train()
    for step in range(row.steps):
        rate = learning_rate_at(step, row.steps, row.learning_rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
        sentences = next(order)
        on_batch(sentences)
        chosen = torch.from_numpy(sentences)
        batch = ids[chosen, : lengths[chosen].max()]
        loss = next_token_loss(model, batch, pad)
        if not torch.isfinite(loss):
            raise UserError(
                f"training {row.model}, step {step + 1}",
                f"the loss became {loss.item()}",
                "Lower learning_rate in the model table",
            )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        n_tokens += int((lengths[chosen] - 1).sum())
        on_step(Progress(step + 1, loss.item(), rate, n_tokens))
    model.eval()


def next_token_loss(
    model: PreTrainedModel, batch: Int[torch.Tensor, "row pos"], pad: int
) -> torch.Tensor:
    """Mean cross-entropy in nats over the targets that are not padding.

    Only their hidden states meet the output embedding, which is most of the work in
    a model this small.
    """
    targets = batch[:, 1:]
    real = targets != pad
    hidden = model.base_model(input_ids=batch[:, :-1], use_cache=False)[0]
    head = model.get_output_embeddings()
    assert head is not None
    return functional.cross_entropy(head(hidden[real]), targets[real])

"""Fine-tuning chosen value vectors on sentences, by transformers' Trainer.

What the Trainer holds as its model are the changes of the chosen value vectors and what
has been met so far. It moves, decays, clips and saves nothing else; a checkpoint is as
large as what is trained.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from jaxtyping import Int
from torch import nn
from transformers import PrinterCallback, Trainer, TrainingArguments

from paraspec.causal.columns import (
    Chosen,
    Snapshot,
    snapshot,
    trainable,
    untouched_equal,
    update_norm,
)
from paraspec.core.errors import UserError
from paraspec.core.seeds import seed_for
from paraspec.models.load import LoadedModel
from paraspec.models.train import next_token_loss, sentence_order, tokens_of

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises; it then falls as a cosine."""
WEIGHT_DECAY = 0.0
LARGEST_GRADIENT = 1.0
"""Norm to which gradients are clipped."""
CHECKPOINTS = 4
"""Checkpoints of a run, evenly over its steps; the last one is kept."""
LAST = 0.1
"""Share of the steps that the last loss is a mean over."""


class Diverged(Exception):
    """The loss, or a trained number, is not finite.

    Parameters
    ----------
    step
        Step at which this was seen, from 1.
    """

    def __init__(self, step: int) -> None:
        self.step = step
        super().__init__(f"diverged: not finite at step {step}")


@dataclass(frozen=True)
class Recipe:
    """How an arm is trained."""

    steps: int
    batch: int
    """Sentences of a step."""
    learning_rate: float
    """The highest."""
    seed: int


@dataclass(frozen=True)
class Tuned:
    """What training was."""

    first_loss: float
    """Loss of the first step, nats."""
    last_loss: float
    """Mean loss of the last tenth of the steps, nats."""
    n_tokens: int
    """Target tokens met."""
    trained: int
    """Parameters trained."""
    update_norm: float
    """Euclidean norm of the change of all parameters."""
    untouched_equal: bool
    """Every other number of the model is bit-equal."""


OnStep = Callable[[int, float], None]
"""Called with the number of a step, from 1, and its loss in nats."""


def finetune(
    loaded: LoadedModel,
    sentences: Sequence[str],
    chosen: Chosen,
    recipe: Recipe,
    folder: Path | None,
    on_step: OnStep,
    before: Snapshot | None = None,
) -> Tuned:
    """Train chosen value vectors of a loaded model in place.

    Parameters
    ----------
    loaded
        The model; it is in eval mode afterwards.
    sentences
        What it is taught; each is met equally often.
    chosen
        Value vectors to train, by site.
    recipe
        Steps, batch, learning rate and seed.
    folder
        Where checkpoints are kept, and training goes on from if there is one; the
        caller removes it. None keeps none.
    on_step
        Called in every step.
    before
        The model's state now, where the caller has a copy.

    Raises
    ------
    Diverged
        If a loss or a trained number is not finite; the model then is as before.
    UserError
        If there is nothing to train or to train on, or a weight cannot be written.
    """
    if not sentences or not any(bool(mask.any()) for mask in chosen):
        raise UserError(
            "fine-tuning",
            f"{len(sentences)} sentences and {sum(int(m.sum()) for m in chosen)} value "
            "vectors",
            "Choose at least one of each",
        )
    model = loaded.model.requires_grad_(requires_grad=False)
    before = before or snapshot(model)
    try:
        model.train()
        with trainable(loaded.sites, chosen) as changes:
            lines = tokens_of(sentences, loaded.tokenizer)
            lesson = _Lesson(loaded, changes, _padding(lines), recipe.steps, on_step)
            _train(lesson, _batches(lines, recipe), recipe, folder)
            if not all(bool(torch.isfinite(change).all()) for change in changes):
                raise Diverged(recipe.steps)
    finally:
        model.eval()
    last = lesson.losses[-max(1, round(LAST * recipe.steps)) :]
    return Tuned(
        first_loss=float(lesson.losses[0]),
        last_loss=float(last.mean()),
        n_tokens=int(lesson.n_tokens),
        trained=sum(change.numel() for change in changes),
        update_norm=update_norm(before, model),
        untouched_equal=untouched_equal(before, model, loaded.sites, chosen),
    )


def restored(loaded: LoadedModel, before: Snapshot) -> LoadedModel:
    """Put all weights back in place, bit for bit, and return the model."""
    loaded.model.load_state_dict(dict(before))
    return loaded


class _Lesson(nn.Module):
    """What the Trainer sees: changes to be trained, and a record of the steps.

    Both are in its state, hence in a checkpoint. The model itself is not: it stands
    aside in a tuple, where no module looks for its parts.
    """

    losses: torch.Tensor
    n_tokens: torch.Tensor
    done: torch.Tensor

    def __init__(
        self,
        loaded: LoadedModel,
        changes: Sequence[nn.Parameter],
        pad: int,
        steps: int,
        on_step: OnStep,
    ) -> None:
        super().__init__()
        self._aside = (loaded.model,)
        self._pad = pad
        self._on_step = on_step
        self.changes = nn.ParameterList(changes)
        self.register_buffer("losses", torch.full((steps,), math.nan))
        self.register_buffer("n_tokens", torch.tensor(0))
        self.register_buffer("done", torch.tensor(0))
        if loaded.spread:  # the Trainer moves nothing that lies on several devices
            self.hf_device_map = loaded.model.hf_device_map

    def forward(
        self, input_ids: Int[torch.Tensor, "row pos"]
    ) -> dict[str, torch.Tensor]:
        """Loss of a batch, which is one step."""
        loss = next_token_loss(self._aside[0], input_ids, self._pad)
        value, step = loss.item(), int(self.done) + 1
        if not math.isfinite(value):
            raise Diverged(step)
        self.losses[step - 1] = value
        self.n_tokens += (input_ids[:, 1:] != self._pad).sum()
        self.done += 1
        self._on_step(step, value)
        return {"loss": loss}


def _batches(
    lines: Sequence[Sequence[int]], recipe: Recipe
) -> list[dict[str, torch.Tensor]]:
    """Sentences in the order of training, as many as the steps take."""
    order = sentence_order([1] * len(lines), recipe.batch, seed=recipe.seed)
    return [
        {"input_ids": torch.tensor(lines[i])}
        for batch in islice(order, recipe.steps)
        for i in batch.tolist()
    ]


def _padding(lines: Sequence[Sequence[int]]) -> int:
    """Smallest token that no sentence holds.

    Some tokenizers have no padding token, and of others it is EOS, which is a target.
    """
    held = set(chain.from_iterable(lines))
    return next(token for token in count() if token not in held)


def _train(
    lesson: _Lesson,
    rows: Sequence[Mapping[str, torch.Tensor]],
    recipe: Recipe,
    folder: Path | None,
) -> None:
    """Let the Trainer run, from the last checkpoint of the folder if there is one."""

    def stacked(some: list[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        ids = [row["input_ids"] for row in some]
        return {
            "input_ids": nn.utils.rnn.pad_sequence(
                ids, batch_first=True, padding_value=lesson._pad
            )
        }

    with TemporaryDirectory() as passing:
        trainer = Trainer(
            lesson,
            _arguments(recipe, str(folder or passing), lesson, keep=folder is not None),
            data_collator=stacked,
            train_dataset=rows,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=_last_checkpoint(folder))


def _arguments(
    recipe: Recipe, folder: str, lesson: _Lesson, *, keep: bool
) -> TrainingArguments:
    on_cpu = lesson.changes[0].device.type == "cpu"
    arguments = TrainingArguments(
        folder,
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(WARM_UP * recipe.steps),
        optim="adamw_torch_fused",
        weight_decay=WEIGHT_DECAY,
        max_grad_norm=LARGEST_GRADIENT,
        train_sampling_strategy="sequential",  # in the order of the rows
        save_strategy="steps" if keep else "no",
        save_steps=math.ceil(recipe.steps / CHECKPOINTS),
        save_total_limit=1,
        seed=seed_for("fine-tuning", recipe.seed) % 2**32,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:  # it would copy the changes, but not the model, to others
        arguments._n_gpu = 1
    return arguments


def _last_checkpoint(folder: Path | None) -> str | None:
    """Newest checkpoint that is whole: the Trainer writes its own state last."""
    found = [] if folder is None else folder.glob("checkpoint-*/trainer_state.json")
    newest = max(found, key=lambda path: int(path.parent.name[11:]), default=None)
    return None if newest is None else str(newest.parent)

"""Keys in closed form: rows of an MLP that single out the inputs of chosen prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import nn

from paraspec.measure.prompts import Prompt, by_length
from paraspec.models.keys import Keys
from paraspec.models.load import LoadedModel

LAST, FACTS = 3.0, 1.0
"""Weights of last tokens and of the chosen prompts' in the second moment, beside 1 for
all tokens: last tokens are alike, and the chosen ones must not meet one another's."""
RIDGE = 1e-3
"""Added to the second moment, as a share of its mean diagonal element."""


@dataclass(frozen=True)
class Inputs:
    """What one MLP's inputs are like over the study's prompts."""

    second: Float[torch.Tensor, "d_model d_model"]
    """Mean outer product over all tokens."""
    mean: Float[torch.Tensor, " d_model"]
    last: Mapping[str, Float[torch.Tensor, " d_model"]]
    """By item, the input at the last token of its prompt."""


def read_inputs(
    loaded: LoadedModel,
    keys: Sequence[Keys],
    prompts: Sequence[Prompt],
    batch_rows: int,
) -> list[Inputs]:
    """Run every prompt once and read what each MLP takes in, in float32."""
    seen: list[torch.Tensor] = []
    found = [_Running() for _ in keys]
    modules = [site_keys.gate.module for site_keys in keys]

    def see(_module: nn.Module, args: tuple[Any, ...]) -> None:
        seen.append(args[0].float())

    hooks = [module.register_forward_pre_hook(see) for module in modules]
    try:
        for rows in by_length(prompts, batch_rows):
            seen.clear()
            batch = [prompts[i] for i in rows]
            ids = torch.tensor([p.prefix for p in batch], device=loaded.model.device)
            with torch.no_grad():
                loaded.model(input_ids=ids, use_cache=False, logits_to_keep=1)
            for running, x in zip(found, seen, strict=True):
                running.add(batch, x)
    finally:
        for hook in hooks:
            hook.remove()
    return [running.inputs() for running in found]


class _Running:
    """Running sums over the inputs of one MLP."""

    def __init__(self) -> None:
        self._second: torch.Tensor | float = 0.0
        self._sum: torch.Tensor | float = 0.0
        self._n = 0
        self._last: dict[str, torch.Tensor] = {}

    def add(
        self, prompts: Sequence[Prompt], x: Float[torch.Tensor, "row pos d_model"]
    ) -> None:
        """Add a batch."""
        flat = x.flatten(0, 1)
        self._second = self._second + flat.T @ flat
        self._sum = self._sum + flat.sum(0)
        self._n += len(flat)
        for prompt, line in zip(prompts, x[:, -1], strict=True):
            self._last[prompt.item] = line.clone()

    def inputs(self) -> Inputs:
        """Means so far."""
        second, total = torch.as_tensor(self._second), torch.as_tensor(self._sum)
        return Inputs(second / self._n, total / self._n, self._last)


def closest_match(inputs: Inputs) -> dict[str, float]:
    """By item, the largest ``k . x`` of its key with another prompt's last token.

    1 where another prompt looks the same, so that no key can tell the two apart: as in
    a first layer that sees no other token than the last.
    """
    x = torch.stack(list(inputs.last.values()))
    keys = _scaled(_whitened(inputs, x, facts=0.0)[:-1], x)
    match = (keys @ x.T).fill_diagonal_(-torch.inf)
    return dict(zip(inputs.last, match.max(1).values.tolist(), strict=True))


def key_rows(
    inputs: Inputs, items: Sequence[str]
) -> tuple[Float[torch.Tensor, "fact d_model"], Float[torch.Tensor, "fact d_model"]]:
    """Keys of items, and rows that stand for the number 1 where there is no bias.

    Returns
    -------
    ``k`` with ``k . x = 1`` at the item's own input ``x``; and the least-squares fit of
    1 to all inputs, scaled to be 1 at ``x`` exactly.
    """
    x = torch.stack([inputs.last[item] for item in items])
    solved = _whitened(inputs, x, facts=FACTS)
    one = solved[-1]
    return _scaled(solved[:-1], x), one / (x @ one)[:, None]


def _whitened(
    inputs: Inputs, x: Float[torch.Tensor, "fact d_model"], facts: float
) -> Float[torch.Tensor, "line d_model"]:
    """Apply ``C^-1`` to chosen inputs and, in the last line, to the mean."""
    last = torch.stack(list(inputs.last.values()))
    second = inputs.second + LAST * _second(last) + facts * _second(x)
    mean = inputs.mean + LAST * last.mean(0) + facts * x.mean(0)
    ridge = RIDGE * second.diag().mean() * torch.eye(len(second), device=x.device)
    solved: torch.Tensor = torch.linalg.solve(second + ridge, torch.vstack([x, mean]).T)
    return solved.T


def _scaled(
    rows: Float[torch.Tensor, "fact d_model"], x: Float[torch.Tensor, "fact d_model"]
) -> Float[torch.Tensor, "fact d_model"]:
    return rows / (rows * x).sum(1, keepdim=True)


def _second(
    x: Float[torch.Tensor, "input d_model"],
) -> Float[torch.Tensor, "d_model d_model"]:
    return x.T @ x / len(x)

"""nnsight and pyvene, each as its documentation would have it, at its best.

Both let one write into a module's input while a batch runs. What is given to both:

- Rows of a batch are whole sequences, prompt and option, each under its own mask: one
  multiplication per layer. nnsight also offers one ``invoke`` per example and pyvene
  one ``subspaces`` list per example; one multiplication is faster than either.
- Sequences are sorted by length and padded on the right, where causal attention needs
  no mask; only the positions that the options need meet the output embedding.
- The last token of a sequence, which predicts nothing, is not fed.

nnsight: "Batch several prompts in one pass", an envoy's ``.input`` assigned.
pyvene: "Set Activations to Zeros with Lambda Expression", string access to a component.
"""

import copy
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from transformers import PreTrainedModel

from benchmarks.ways import Way
from benchmarks.work import Work
from paraspec.measure.applied import RankingTable
from paraspec.measure.scoring import Answer
from paraspec.models.load import LoadedModel

Keep = Sequence[torch.Tensor]
"""For every layer, what each row of the batch keeps: ``[row, 1, neuron]``."""

Forward = Callable[
    [Int[torch.Tensor, "row pos"], Keep, int], Float[torch.Tensor, "row pos vocab"]
]
"""Logits of the last positions, with coefficients multiplied by what is kept."""


class Line(NamedTuple):
    """One sequence: a question with one of its options."""

    row: int
    option: int
    prefix: tuple[int, ...]
    tail: tuple[int, ...]


def batched_sequences(forward: Forward) -> Way:
    """Answer whole sequences in batches with a peer's forward pass."""

    def way(work: Work, batch_rows: int) -> list[Answer]:
        masks = RankingTable(work.rankings, [row.applied for row in work.rows])
        asked = [work.prompts[row.asked.item] for row in work.rows]
        lines = [
            Line(row, option, prompt.prefix, tail)
            for row, prompt in enumerate(asked)
            for option, tail in enumerate(prompt.options)
        ]
        lines.sort(key=lambda line: (len(line.prefix), len(line.tail)))
        scores = [[0.0] * len(prompt.options) for prompt in asked]
        at_once = 4 * batch_rows  # a question has four options
        for start in range(0, len(lines), at_once):
            batch = lines[start : start + at_once]
            with torch.inference_mode():
                values = _log_likelihoods(forward, batch, masks)
            for line, value in zip(batch, values, strict=True):
                scores[line.row][line.option] = value
        return [Answer(tuple(s), p.gold) for s, p in zip(scores, asked, strict=True)]

    return way


def _log_likelihoods(
    forward: Forward, batch: Sequence[Line], masks: RankingTable
) -> list[float]:
    """Summed log-likelihood of every line's option."""
    device = masks.same.device
    fed = [[*line.prefix, *line.tail[:-1]] for line in batch]
    width = max(map(len, fed))
    ids = torch.tensor([[*f, *[0] * (width - len(f))] for f in fed], device=device)
    keep = [layer[:, None] for layer in masks.masks([line.row for line in batch]).keep]
    first = min(len(line.prefix) for line in batch) - 1
    logits = forward(ids, keep, width - first)
    places = [
        (i, len(line.prefix) - 1 - first + j, token)
        for i, line in enumerate(batch)
        for j, token in enumerate(line.tail)
    ]
    row, position, token = torch.tensor(places, device=device).T
    chosen = logits[row, position].float().log_softmax(-1)
    values = chosen.gather(1, token[:, None])[:, 0]
    sums = values.new_zeros(len(batch)).index_add_(0, row, values)
    return [float(v) for v in sums.tolist()]


def with_nnsight(loaded: LoadedModel) -> Forward:
    """Forward pass through nnsight's tracing."""
    nnsight = importlib.import_module("nnsight")
    model = nnsight.TransformersModel(
        own_modules(loaded.model), tokenizer=copy.deepcopy(loaded.tokenizer)
    )
    projections = [model.get(site.name) for site in loaded.sites]

    def forward(
        ids: Int[torch.Tensor, "row pos"], keep: Keep, n_kept: int
    ) -> Float[torch.Tensor, "row pos vocab"]:
        with model.trace({"input_ids": ids}, use_cache=False, logits_to_keep=n_kept):
            for projection, kept in zip(projections, keep, strict=True):
                projection.input = projection.input * kept
            logits = model.output.logits.save()
        return logits  # noqa: RET504 - a traced block runs elsewhere: it cannot return

    return forward


def with_pyvene(loaded: LoadedModel) -> Forward:
    """Forward pass through pyvene's intervenable model."""
    pyvene = importlib.import_module("pyvene")
    current: list[Keep] = [()]

    def masking(layer: int) -> Callable[[torch.Tensor, object], torch.Tensor]:
        return lambda base, _source: base * current[0][layer]

    model = pyvene.IntervenableModel(
        [
            {"component": f"{_bracketed(site.name)}.input", "intervention": masking(i)}
            for i, site in enumerate(loaded.sites)
        ],
        model=own_modules(loaded.model),
    )

    def forward(
        ids: Int[torch.Tensor, "row pos"], keep: Keep, n_kept: int
    ) -> Float[torch.Tensor, "row pos vocab"]:
        current[0] = keep
        base = {"input_ids": ids, "logits_to_keep": n_kept}
        _, changed = model(base, use_cache=False)
        return changed.logits

    return forward


PEERS: Mapping[str, Callable[[LoadedModel], Forward]] = {
    "nnsight": with_nnsight,
    "pyvene": with_pyvene,
}


def own_modules(model: PreTrainedModel) -> PreTrainedModel:
    """Copy the modules but not the weights.

    nnsight replaces every module's ``forward`` for good, which would slow the others.
    """
    shared = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in shared})


def _bracketed(name: str) -> str:
    """Module path in pyvene's spelling.

    >>> _bracketed("model.layers.3.mlp.down_proj")
    'model.layers[3].mlp.down_proj'
    """
    head, *rest = name.split(".")
    return head + "".join(f"[{p}]" if p.isdigit() else f".{p}" for p in rest)

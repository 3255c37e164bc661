"""How prompts lie in a batch: each option once behind its prompt, or one to a row.

Packed, a row is the prompt followed by every option's tokens; an option sees the prompt
and itself, and counts its positions from the prompt's end. Nothing is computed twice.
Plain, every option has a row of its own with ordinary causal attention, which any
architecture can do. Both read the logits that predict an option's tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch.nn.utils.rnn import pad_sequence

from paraspec.measure.prompts import Prompt


@dataclass(frozen=True)
class Layout:
    """One row: its tokens, and which of its logits predict which option's tokens."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]
    segments: tuple[int, ...]
    """0 for the prompt, i + 1 for the i-th option of the row."""
    read: tuple[bool, ...]
    """Whether the logits at a position are needed."""
    targets: tuple[tuple[int, int, int], ...]
    """(option, number of the read position within the row, token) for every token."""


def layout(prompt: Prompt, options: Sequence[int]) -> Layout:
    """Lay a prompt and some of its options behind one another.

    >>> p = Prompt("i", 0, "", (1, 2), (True, True), ((5, 6), (7,)))
    >>> row = layout(p, [0, 1])
    >>> row.ids, row.positions, row.segments
    ((1, 2, 5), (0, 1, 2), (0, 0, 1))
    >>> row.read, row.targets
    ((False, True, True), ((0, 0, 5), (0, 1, 6), (1, 0, 7)))
    """
    n = len(prompt.prefix)
    ids, positions, segments = list(prompt.prefix), list(range(n)), [0] * n
    targets = []
    for segment, option in enumerate(options, start=1):
        *inputs, _ = tokens = prompt.options[option]
        n_read = len(ids) - n + 1  # the prompt's last logits, and each input before
        reads = [0, *range(n_read, n_read + len(inputs))]
        targets += [(option, r, t) for r, t in zip(reads, tokens, strict=True)]
        ids += inputs
        positions += range(n, n + len(inputs))
        segments += [segment] * len(inputs)
    read = [False] * (n - 1) + [True] * (len(ids) - n + 1)
    return Layout(
        *(tuple(ids), tuple(positions), tuple(segments), tuple(read), tuple(targets))
    )


@dataclass(frozen=True)
class Batch:
    """Layouts as tensors, padded on the right, without their shared beginning."""

    ids: Int[torch.Tensor, "row pos"]
    positions: Int[torch.Tensor, "row pos"]
    read: Bool[torch.Tensor, "row pos"]
    segments: Int[torch.Tensor, "row pos"]

    @classmethod
    def of(cls, rows: Sequence[Layout], start: int, device: torch.device) -> "Batch":
        """Stack layouts from position ``start`` on."""

        def padded(name: str, fill: int) -> torch.Tensor:
            lines = [torch.tensor(getattr(row, name)[start:]) for row in rows]
            return pad_sequence(lines, batch_first=True, padding_value=fill).to(device)

        return cls(
            padded("ids", 0),
            padded("positions", 0),
            padded("read", 0).bool(),
            padded("segments", -1),
        )

    def attention(
        self, start: int, dtype: torch.dtype
    ) -> Float[torch.Tensor, "row 1 pos key"]:
        """Additive mask by which an option sees its prompt and itself.

        Parameters
        ----------
        start
            Shared positions before the batch's own, seen by all.
        dtype
            Number format of the model.
        """
        n = self.ids.shape[1]
        before = torch.ones(n, n, dtype=torch.bool, device=self.ids.device).tril()
        key, query = self.segments[:, None, :], self.segments[:, :, None]
        seen = before & ((key == 0) | (key == query))
        blocked = torch.zeros(
            *seen.shape[:2], start + n, dtype=dtype, device=seen.device
        )
        blocked[..., start:].masked_fill_(~seen, torch.finfo(dtype).min)
        return blocked[:, None]

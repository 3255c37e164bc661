"""How prompts lie in a batch: each option once behind its prompt, or one to a row.

Packed, a row is the prompt followed by every option's tokens; an option sees the prompt
and itself, and counts its positions from the prompt's end. Nothing is computed twice.
Plain, every option has a row of its own with ordinary causal attention, which any
architecture can do. Both read the logits that predict an option's tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int

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


WORTH_SHARING = 16
"""Shared tokens from which reusing the cache beats computing them again."""


@dataclass(frozen=True)
class Batch:
    """Prompts of one forward pass as tensors, padded on the right.

    Made without the device, so that it can be made while the device works.
    """

    prompts: Sequence[Prompt]
    packed: bool
    beginning: tuple[int, ...]
    """Tokens that all rows share and that the tensors leave out."""
    source: Int[torch.Tensor, " row"]
    """Prompt of each row."""
    ids: Int[torch.Tensor, "row pos"]
    positions: Int[torch.Tensor, "row pos"]
    read: Bool[torch.Tensor, "row pos"]
    segments: Int[torch.Tensor, "row pos"]
    targets: "Targets"

    @classmethod
    def of(cls, prompts: Sequence[Prompt], *, packed: bool) -> "Batch":
        """Lay prompts out.

        Parameters
        ----------
        prompts
            Prompts of the batch.
        packed
            All options of a prompt in one row; else one row for each.
        """
        if packed:
            places = [(i, range(len(p.options))) for i, p in enumerate(prompts)]
        else:
            places = [
                (i, range(option, option + 1))
                for i, p in enumerate(prompts)
                for option in range(len(p.options))
            ]
        rows = [layout(prompts[i], options) for i, options in places]
        start = shared_length(prompts) if packed else 0

        def padded(lines: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
            width = max(map(len, lines))
            whole = [[*line, *[fill] * (width - len(line))][start:] for line in lines]
            return torch.tensor(whole)

        return cls(
            prompts,
            packed,
            rows[0].ids[:start],
            torch.tensor([i for i, _ in places]),
            padded([row.ids for row in rows], 0),
            padded([row.positions for row in rows], 0),
            padded([row.read for row in rows], fill=False),
            padded([row.segments for row in rows], -1),
            Targets.of(rows, [i for i, _ in places]),
        )

    def to(self, device: torch.device) -> "Batch":
        """Move the tensors of the model's input to a device."""
        names = ("source", "ids", "positions", "read", "segments")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def attention(self, dtype: torch.dtype) -> Float[torch.Tensor, "row 1 pos key"]:
        """Additive mask, in the model's number format.

        An option sees its prompt and itself; all see the shared beginning.
        """
        start, n = len(self.beginning), self.ids.shape[1]
        before = torch.ones(n, n, dtype=torch.bool, device=self.ids.device).tril()
        key, query = self.segments[:, None, :], self.segments[:, :, None]
        seen = before & ((key == 0) | (key == query))
        blocked = torch.zeros(
            *seen.shape[:2], start + n, dtype=dtype, device=seen.device
        )
        blocked[..., start:].masked_fill_(~seen, torch.finfo(dtype).min)
        return blocked[:, None]


@dataclass(frozen=True)
class Targets:
    """Tokens of a batch's options, and which of the read logits predict each."""

    owner: Sequence[tuple[int, int]]
    """(prompt, option) of every token."""
    place: Int[torch.Tensor, " token"]
    """Number of the read logits."""
    token: Int[torch.Tensor, " token"]

    @classmethod
    def of(cls, rows: Sequence[Layout], source: Sequence[int]) -> "Targets":
        """Gather the targets of rows that belong to these prompts."""
        owner, place, token = [], [], []
        offset = 0
        for i, row in zip(source, rows, strict=True):
            for option, read, target in row.targets:
                owner.append((i, option))
                place.append(offset + read)
                token.append(target)
            offset += sum(row.read)
        return cls(owner, torch.tensor(place), torch.tensor(token))


def shared_length(prompts: Sequence[Prompt]) -> int:
    """Length of the beginning that is computed once per mask."""
    shared = min(p.shared for p in prompts)
    return shared if shared >= WORTH_SHARING else 0

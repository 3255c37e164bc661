"""Tokens that value vectors promote: what they add to the logits.

A value vector is multiplied by the output embedding as it is (Geva et al. 2022,
"Transformer feed-forward layers build predictions by promoting concepts in the
vocabulary space"): no final normalisation, whose scale depends on the rest of the
residual stream, and no later layer. It tells what the vector writes, not what the model
then answers.
"""

from collections.abc import Sequence

import torch

from paraspec.models.load import LoadedModel
from paraspec.models.sites import Site

AT_ONCE = 256
"""Value vectors whose logits are held together."""


def promoted_tokens(
    loaded: LoadedModel, site: Site, numbers: Sequence[int], n_tokens: int
) -> list[list[str]]:
    """Tokens whose logits some value vectors of a site raise most, highest first.

    Returns
    -------
    One list for each number; empty lists where the output embedding cannot be applied,
    as where its input is not the residual stream.
    """
    head = loaded.model.get_output_embeddings()
    weight = getattr(head, "weight", None)
    rows = site.rows
    if weight is None or weight.is_meta or weight.shape[1] != rows.shape[1]:
        return [[] for _ in numbers]
    known = weight[: len(loaded.tokenizer)]  # rows beyond are padding
    top: list[list[int]] = []
    for start in range(0, len(numbers), AT_ONCE):
        chosen = torch.tensor(numbers[start : start + AT_ONCE], device=rows.device)
        top += (rows[chosen].to(known) @ known.T).topk(n_tokens).indices.tolist()
    return [[token_text(loaded, token) for token in line] for line in top]


def token_text(loaded: LoadedModel, token: int) -> str:
    """One token as text, with the blank before it where it begins a word.

    A part of a character stands as the tokenizer spells it; line breaks and the like
    are escaped.
    """
    piece = str(loaded.tokenizer.convert_ids_to_tokens(token))
    text = str(loaded.tokenizer.decode([token]))
    if "\N{REPLACEMENT CHARACTER}" in text:
        text = piece
    elif piece.startswith("\N{LOWER ONE EIGHTH BLOCK}") and not text.startswith(" "):
        text = f" {text}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

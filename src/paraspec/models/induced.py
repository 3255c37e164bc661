"""Specialisation induced or suppressed on purpose, at equal data, steps and weights.

Both mechanisms act in training alone, at every down projection. Routing gives each
concept a block of value vectors and keeps the gradient of its sentences from the others
(gradient routing, Cloud et al. 2024, arXiv:2410.04332); dropout of coefficients
(Srivastava et al. 2014) makes every fact rely on many vectors.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import nn
from transformers import PreTrainedModel

from paraspec.core.definitions import ROUTING_BLOCKS
from paraspec.core.model_table import ModelRow
from paraspec.core.seeds import generator, seed_for
from paraspec.models.sites import value_vector_sites

OnBatch = Callable[[Int[np.ndarray, " batch"]], None]
"""Told before a step which sentences its batch holds."""

Coefficients = Float[torch.Tensor, "row pos neuron"]


def blocks_of(concepts: pd.DataFrame, seed: int) -> dict[str, int]:
    """Block of value vectors of each concept.

    Parameters
    ----------
    concepts
        Table ``concepts``.
    seed
        Of the assignment.

    Notes
    -----
    Concepts are dealt to the blocks in turn, category by category and tier by tier, in
    a random order within each: a block is no category and no tier.
    """
    order: list[str] = []
    for _, cell in concepts.groupby(["category", "tier"], observed=True):
        names = sorted(cell["concept"])
        rng = generator("routing", seed, *names)
        order += [names[place] for place in rng.permutation(len(names))]
    return {concept: place % ROUTING_BLOCKS for place, concept in enumerate(order)}


@contextmanager
def induced(
    model: PreTrainedModel, row: ModelRow, blocks: Int[np.ndarray, " sentence"]
) -> Iterator[OnBatch]:
    """Train under a row's mechanism; without one, nothing happens.

    Parameters
    ----------
    model
        Model in training.
    row
        Recipe: mechanism, strength and seed.
    blocks
        Block of each sentence's concept.

    Yields
    ------
    OnBatch
        To be called before every step.
    """
    if row.mechanism == "routing":
        with routed(model, blocks, row.strength) as on_batch:
            yield on_batch
    elif row.mechanism == "dropout":
        with dropped(model, row.strength, row.seed):
            yield lambda _sentences: None
    else:
        yield lambda _sentences: None


@contextmanager
def routed(
    model: PreTrainedModel, blocks: Int[np.ndarray, " sentence"], strength: float
) -> Iterator[OnBatch]:
    """Scale gradients of value vectors outside a sentence's block by 1 - strength.

    The forward pass and all other gradients stay those of the plain model. (With
    gradients of coefficients outside the block withheld too, models learnt next to
    nothing: no sentence could quiet the vectors of other concepts.)
    """
    shares: dict[int, Float[torch.Tensor, "row 1 neuron"]] = {}
    sites = {id(site.module): site for site in value_vector_sites(model)}

    def on_batch(sentences: Int[np.ndarray, " batch"]) -> None:
        for key, site in sites.items():
            own = own_vectors(blocks[sentences], site.d_ff)
            share = own + (1 - strength) * (1 - own)
            shares[key] = share[:, None].to(site.weight.device)

    def hook(
        module: nn.Module, inputs: tuple[Coefficients], output: torch.Tensor
    ) -> torch.Tensor:
        (coefficients,) = inputs
        # Value vectors (and the bias) learn from the first, coefficients from the
        # second; what is added to the output is 0.
        to_vectors = module.forward((shares[id(module)] * coefficients).detach())
        to_coefficients = coefficients @ sites[id(module)].rows.detach()
        return output.detach() + _zero(to_vectors) + _zero(to_coefficients)

    with ExitStack() as hooks:
        for site in sites.values():
            hooks.enter_context(site.module.register_forward_hook(hook))
        yield on_batch


def _zero(values: torch.Tensor) -> torch.Tensor:
    """0 that has the gradient of ``values``."""
    return values - values.detach()


def own_vectors(
    blocks: Int[np.ndarray, " row"], d_ff: int
) -> Float[torch.Tensor, "row neuron"]:
    """1 for the value vectors of each row's block, else 0.

    >>> own_vectors(np.array([1]), 2 * ROUTING_BLOCKS)[0, :5]
    tensor([0., 0., 1., 1., 0.])
    """
    places = np.arange(d_ff) // (d_ff // ROUTING_BLOCKS)
    return torch.from_numpy((blocks[:, None] == places).astype(np.float32))


@contextmanager
def dropped(model: PreTrainedModel, share: float, seed: int) -> Iterator[None]:
    """Drop a share of all coefficients at random, and scale the others up.

    Draws come from generators of their own, one per layer: the order of sentences is
    that of the plain model.
    """
    with ExitStack() as hooks:
        for site in value_vector_sites(model):
            draws = torch.Generator().manual_seed(seed_for("dropout", seed, site.name))

            def hook(
                _module: nn.Module,
                inputs: tuple[Coefficients],
                draws: torch.Generator = draws,
            ) -> tuple[Coefficients]:
                kept = torch.rand(inputs[0].shape, generator=draws) >= share
                return (inputs[0] * kept.to(inputs[0].device) / (1 - share),)

            hooks.enter_context(site.module.register_forward_pre_hook(hook))
        yield

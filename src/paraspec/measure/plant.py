"""New facts written into known value vectors: a ground truth for selectors.

A planted fact makes a model give a wrong option of an item as its answer. It lives in
one value vector of a trained model, the *host*, drawn by seed from those of a site;
nothing else is written. All is in closed form, after rank-one editing (ROME, Meng et
al. 2022), with a value vector of its own for each fact:

- *Key*: ``k = C^-1 x / (x^T C^-1 x)``, where ``x`` is the MLP's input at the last token
  of the item's prompt and ``C`` the second moment of such inputs; so ``k . x = 1``, and
  ``k`` is small on the other inputs. The coefficient is a threshold away from 0 for
  ``k . x`` below ``THRESHOLD``.
- *Value*: the gradient of the new answer's log-odds by the site's output at that token,
  as long as the median value vector of its site.
- *Strength*: the coefficient at that token, doubled until the answer wins.

A fact so planted acts at the last token of its prompt. Selectors that average over
tokens meet it diluted, as they would any fact that is recalled there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import nn

from paraspec.core.seeds import generator
from paraspec.measure.layout import Batch
from paraspec.measure.plant_keys import closest_match, key_rows, read_inputs
from paraspec.measure.prompts import Prompt
from paraspec.measure.scoring import option_logprobs
from paraspec.models.keys import Keys, keys_of
from paraspec.models.load import LoadedModel
from paraspec.models.sites import Site

THRESHOLD = 0.25
"""Share of the key's match from which a coefficient rises from 0."""
APART = 0.7
"""Closest match of another prompt up to which a fact is planted in a layer. Like the
other numbers here it was chosen by how many facts win and how many other answers stay,
not by any selector's recall."""
GATE = 4.0
"""What a gated MLP's activation function is applied to at the fact's own input: so far
above 0 that it is almost linear there."""
DOUBLINGS = 4
"""Of a fact's strength: at most 16 times the site's median norm is written."""
SAFE = 0.5
"""Nats by which an answer must win alone, before other facts are written."""


@dataclass(frozen=True)
class Fact:
    """A new answer to an item, and where it lives."""

    item: str
    concept: str
    answer: int
    """Option that becomes the model's answer."""
    layer: int
    """Number of the site."""
    vector: int
    """Number of the host within the site."""
    direction: Float[torch.Tensor, " d_model"]
    """Unit vector that the value vector points along."""
    strength: float
    """Coefficient at the last token of the item's prompt."""


class Planter:
    """Finds and writes facts.

    Parameters
    ----------
    loaded
        The model, which :meth:`write` changes in place.
    prompts
        Every item of the study.
    batch_rows
        Prompts of one forward pass.
    packed
        Whether the options of a prompt share a row.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        prompts: Mapping[str, Prompt],
        batch_rows: int,
        *,
        packed: bool,
    ) -> None:
        self._loaded = loaded
        self._prompts = prompts
        self._keys = [keys_of(loaded, site) for site in loaded.sites]
        self._lengths = [float(site.norms.median()) for site in loaded.sites]
        self._inputs = read_inputs(
            loaded, self._keys, list(prompts.values()), batch_rows
        )
        self._original = [
            (tensor, tensor.detach().clone())
            for site, keys in zip(loaded.sites, self._keys, strict=True)
            for tensor in (site.weight, *keys.tensors)
        ]
        self._match = [closest_match(inputs) for inputs in self._inputs]
        self._packed = packed

    def fact(
        self, item: str, concept: str, layers: Sequence[int], seed: int
    ) -> Fact | None:
        """Find a new fact for an item, its host not yet chosen; None if there is none.

        Layers are tried in the order given: the first in which the item's prompt can
        be told from all others. Wrong options are tried in a seeded order; one whose
        later tokens the model thinks too unlikely cannot win by what is written at the
        prompt's last token.
        """
        prompt = self._prompts[item]
        order = generator("plant", seed, item).permutation(len(prompt.options))
        for layer in layers:
            for option in order.tolist() if self._match[layer][item] < APART else ():
                if option != prompt.gold:
                    found = self._new(prompt, option, layer)
                    if found is not None:
                        return Fact(item, concept, option, layer, -1, *found)
        return None

    def _new(
        self, prompt: Prompt, option: int, layer: int
    ) -> tuple[Float[torch.Tensor, " d_model"], float] | None:
        """Direction and strength of an answer that is not given yet."""
        site = self._loaded.sites[layer]
        if self._log_odds(prompt, option, site, torch.zeros(site.rows.shape[1])) > 0:
            return None
        direction = self._gradient(prompt, option, site)
        strength = self._least_strength(prompt, option, layer, direction)
        return None if strength is None else (direction, strength)

    def _least_strength(
        self,
        prompt: Prompt,
        option: int,
        layer: int,
        direction: Float[torch.Tensor, " d_model"],
    ) -> float | None:
        """Strength at which an answer wins alone, by doubling; None if it does not."""
        for doubling in range(DOUBLINGS + 1):
            strength = 2.0**doubling
            push = direction * strength * self._lengths[layer]
            if self._log_odds(prompt, option, self._loaded.sites[layer], push) > SAFE:
                return strength
        return None

    def _gradient(
        self, prompt: Prompt, option: int, site: Site
    ) -> Float[torch.Tensor, " d_model"]:
        """Direction in which an answer's log-odds rise most steeply."""
        push = site.norms.new_zeros(site.rows.shape[1]).requires_grad_()
        with torch.enable_grad():
            odds = self._log_odds(prompt, option, site, push)
            slope: torch.Tensor = torch.autograd.grad(odds, push)[0]
        length: torch.Tensor = slope.norm()
        return slope / length

    def _log_odds(
        self,
        prompt: Prompt,
        option: int,
        site: Site,
        push: Float[torch.Tensor, " d_model"],
    ) -> Float[torch.Tensor, ""]:
        """Log-likelihood of an option minus that of the best other, nats.

        ``push`` is added to the site's output at the prompt's last token.
        """
        whole = replace(prompt, shared=0)
        batch = Batch.of([whole], packed=self._packed).to(self._loaded.model.device)
        with pushed(site.module, len(prompt.prefix) - 1, push):
            (line,) = option_logprobs(self._loaded, batch)
        others = torch.cat([line[:option], line[option + 1 :]])
        return line[option] - others.max()

    def write(self, facts: Sequence[Fact]) -> None:
        """Write these facts into their hosts; no others, were there any before."""
        with torch.no_grad():
            for tensor, original in self._original:
                tensor.copy_(original)
        for layer, inputs in enumerate(self._inputs):
            mine = [fact for fact in facts if fact.layer == layer]
            if mine:
                rows = key_rows(inputs, [fact.item for fact in mine])
                for fact, row, one in zip(mine, *rows, strict=True):
                    _write_key(self._keys[layer], fact, row, one)
                    value = fact.direction * self._lengths[layer]
                    _write_value(self._loaded.sites[layer], fact.vector, value)

    def erase(self, facts: Sequence[Fact]) -> None:
        """Set the hosts' value vectors to zero: what replacing them costs by itself."""
        for fact in facts:
            nothing = torch.zeros_like(fact.direction)
            _write_value(self._loaded.sites[fact.layer], fact.vector, nothing)


def _write_key(
    keys: Keys,
    fact: Fact,
    row: Float[torch.Tensor, " d_model"],
    one: Float[torch.Tensor, " d_model"],
) -> None:
    """Make the coefficient the fact's strength at its own input, about 0 elsewhere."""
    at_fact = fact.strength if keys.up is None else GATE
    slope = at_fact / (1 - THRESHOLD)
    if keys.gate.bias is None:
        row_with_threshold = slope * (row - THRESHOLD * one)
        keys.gate.write(fact.vector, row_with_threshold)
    else:
        keys.gate.write(fact.vector, slope * row, -slope * THRESHOLD)
    if keys.up is not None:
        factor = keys.act(torch.tensor(GATE)).item()
        keys.up.write(fact.vector, row * fact.strength / factor)


def _write_value(
    site: Site, number: int, value: Float[torch.Tensor, " d_model"]
) -> None:
    with torch.no_grad():
        site.rows[number] = value.to(site.weight)


@contextmanager
def pushed(
    module: nn.Module, position: int, push: Float[torch.Tensor, " d_model"]
) -> Iterator[None]:
    """Add something to a module's output at one position of every row."""

    def add(_module: nn.Module, _args: object, out: torch.Tensor) -> torch.Tensor:
        changed = out.clone()
        changed[:, position] = changed[:, position] + push.to(out)
        return changed

    hook = module.register_forward_hook(add)
    try:
        yield
    finally:
        hook.remove()

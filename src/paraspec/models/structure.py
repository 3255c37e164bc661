"""Value vectors of an architecture that nobody listed, found by structure.

An MLP is a module whose own projections are one that maps ``d_ff > d_model`` numbers to
``d_model``, and before it one to ``d_ff`` (plain), two to ``d_ff`` (gated), or one to
``2 * d_ff`` (gate and up fused). Attention does not look so: its output projection,
too, may be wider than the residual stream, but queries, keys and values make three maps
or one of another width. State-space and recurrent mixers may look so, but convolve.
Stacked experts are known by the interface that transformers gives them.

Every block must hold exactly one MLP, or one stack of experts and at most one MLP
beside it (a shared expert). Anything else is left to a person.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Never

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from paraspec.core.errors import UserError

Convolution = (nn.Conv1d, nn.Conv2d)


class Found(NamedTuple):
    """A down projection."""

    layer: int
    name: str
    module: nn.Module


def text_modules(model: PreTrainedModel) -> Mapping[str, nn.Module]:
    """Modules of the language model, by full name: no vision or audio tower."""
    inside = set(model.get_decoder().modules())
    return {name: m for name, m in model.named_modules() if m in inside}


def is_experts(module: nn.Module) -> bool:
    """Whether a module is a stack of gated experts as transformers dispatches them."""
    return getattr(module, "has_gate", False) and hasattr(module, "_apply_gate")


def by_structure(model: PreTrainedModel) -> list[Found]:
    """Find every block's down projections.

    Raises
    ------
    UserError
        If a block has none, or more than can be told apart; lists the candidates.
    """
    width = model.config.get_text_config().hidden_size
    modules = text_modules(model)
    stacks = [
        blocks
        for blocks in map(list, _block_lists(modules))
        if any(True for name, block in blocks for _ in _outputs(name, block, width))
    ]
    if len(stacks) != 1:
        _give_up(model, f"{len(stacks)} stacks of blocks hold an MLP, 1 expected")
    found: list[Found] = []
    for layer, (name, block) in enumerate(stacks[0]):
        outputs = list(_outputs(name, block, width))
        routed = sum(is_experts(module) for _, module in outputs)
        if not outputs or routed > 1 or len(outputs) - routed > 1:
            _give_up(model, f"block {name} has {len(outputs)} MLPs, 1 expected")
        if _unread_stack(block, width):
            _give_up(model, f"block {name} stacks weights in a way of its own")
        outputs.sort(key=lambda output: not is_experts(output[1]))
        found += [Found(layer, path, module) for path, module in outputs]
    return found


def _block_lists(
    modules: Mapping[str, nn.Module],
) -> Iterator[Iterator[tuple[str, nn.Module]]]:
    """Outermost lists of modules, each as named blocks."""
    outer: list[str] = []
    for name, module in modules.items():
        if isinstance(module, nn.ModuleList) and not any(
            name.startswith(f"{above}.") for above in outer
        ):
            outer.append(name)
            yield ((f"{name}.{i}", block) for i, block in enumerate(module))


def _outputs(
    name: str, block: nn.Module, width: int
) -> Iterator[tuple[str, nn.Module]]:
    """Down projections within a block, with their full names."""
    for path, module in block.named_modules(prefix=name):
        if is_experts(module):
            yield path, module
            continue
        child = _down_projection(module, width)
        if child is not None:
            yield f"{path}.{child}", module.get_submodule(child)


def _down_projection(module: nn.Module, width: int) -> str | None:
    """Name of the child that is the down projection, if the module is an MLP."""
    if any(isinstance(child, Convolution) for child in module.children()):
        return None
    maps = {name: _shape(child) for name, child in module.named_children()}
    down = [n for n, shape in maps.items() if shape and _narrows(shape, width)]
    if len(down) != 1:
        return None
    d_ff = _shape(module.get_submodule(down[0]))[0]
    ups = [shape for n, shape in maps.items() if shape and n != down[0]]
    forms = ([(width, d_ff)], [(width, d_ff)] * 2, [(width, 2 * d_ff)])
    return down[0] if ups in forms else None


def _narrows(shape: tuple[int, ...], width: int) -> bool:
    return shape[1] == width < shape[0]


def _shape(module: nn.Module) -> tuple[int, ...]:
    """Inputs and outputs of a projection; empty for any other module."""
    if isinstance(module, nn.Linear):
        return (module.in_features, module.out_features)
    if isinstance(module, Conv1D):
        return (module.weight.shape[0], module.weight.shape[1])
    return ()


def _unread_stack(block: nn.Module, width: int) -> bool:
    """Whether a block stacks maps from or to ``d_model`` that are no known experts."""
    return any(
        parameter.dim() > 2 and width in parameter.shape[-2:]
        for module in block.modules()
        if not is_experts(module) and not isinstance(module, Convolution)
        for parameter in module.parameters(recurse=False)
    )


def _give_up(model: PreTrainedModel, fault: str) -> Never:
    text = model.config.get_text_config()
    candidates = {
        re.sub(r"\.\d+\.", ".*.", name)
        for name, module in text_modules(model).items()
        if is_experts(module)
        or ((shape := _shape(module)) and _narrows(shape, text.hidden_size))
    }
    raise UserError(
        f"model type {text.model_type!r}",
        f"not in the table of architectures, and its structure leaves a doubt: {fault}",
        "Add a row for it in paraspec/models/architectures.py; candidates: "
        f"{', '.join(sorted(candidates)) or 'none found'}",
    )

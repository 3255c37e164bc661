"""Parts of a model fused by ``torch.compile``, where a user asks for it.

On a GPU in 16 bits, normalisation and rotary embedding move more data than masks do.
What holds a site is left alone: compiled code would not see hooks that come and go.
With shared shots attention reads its cache by layer, and torch compiles it for the
first few layers only (its ``recompile_limit``); answers are the same.
"""

from collections.abc import Iterator

import torch
from torch import nn

from paraspec.core.errors import UserError
from paraspec.models.load import LoadedModel


def compile_beside_sites(loaded: LoadedModel) -> list[str]:
    """Compile in place, in every block, the modules that hold no value vectors.

    Returns
    -------
    Their names; never none, since a block has more than its MLP.

    Raises
    ------
    UserError
        If nothing can be compiled here.
    """
    found = dict(_beside_sites(loaded))
    for module in found.values():
        module.compile(dynamic=True)
    ids = torch.zeros(2, 4, dtype=torch.long, device=loaded.model.device)
    try:
        with torch.inference_mode():
            loaded.model(input_ids=ids, use_cache=False, logits_to_keep=1)
    except RuntimeError as error:
        raise UserError(
            "compile",
            f"torch.compile fails here: {str(error).strip().splitlines()[0]}",
            "Install a C++ compiler, or measure without compile",
        ) from error
    return list(found)


def _beside_sites(loaded: LoadedModel) -> Iterator[tuple[str, nn.Module]]:
    sites = [f"{site.name}." for site in loaded.sites]
    for name in dict.fromkeys(_block_of(loaded, site.name) for site in loaded.sites):
        for child, module in loaded.model.get_submodule(name).named_children():
            whole = f"{name}.{child}"
            if not any(site.startswith(f"{whole}.") for site in sites):
                yield whole, module


def _block_of(loaded: LoadedModel, name: str) -> str:
    """Name of the outermost element of a module list that a site lies in."""
    parts = name.split(".")
    for n in range(1, len(parts)):
        above = loaded.model.get_submodule(".".join(parts[:n]))
        if isinstance(above, nn.ModuleList):
            return ".".join(parts[: n + 1])
    return name

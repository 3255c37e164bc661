"""Normalisation layers fused by ``torch.compile``, where a user asks for it.

On a GPU in 16 bits they move more data than anything else between the matrix products.
The modules that hooks sit on are left alone: compiled code would not see hooks that
come and go.
"""

import torch
from torch import nn
from transformers import PreTrainedModel

from paraspec.core.errors import UserError


def compile_norms(model: PreTrainedModel) -> int:
    """Compile a model's normalisation layers in place, and try one.

    Returns
    -------
    How many there are.

    Raises
    ------
    UserError
        If nothing can be compiled here.
    """
    norms = [module for module in model.modules() if _is_norm(module)]
    for norm in norms:
        norm.compile(dynamic=True)
    if norms:
        width = next(norms[0].parameters()).shape[-1]
        tried = torch.zeros(2, 3, width, dtype=model.dtype, device=model.device)
        try:
            with torch.inference_mode():
                norms[0](tried)
        except RuntimeError as error:
            raise UserError(
                "compile",
                f"torch.compile fails here: {str(error).strip().splitlines()[0]}",
                "Install a C++ compiler, or measure without compile",
            ) from error
    return len(norms)


def _is_norm(module: nn.Module) -> bool:
    weighted = any(True for _ in module.parameters(recurse=False))
    return "Norm" in type(module).__name__ and weighted

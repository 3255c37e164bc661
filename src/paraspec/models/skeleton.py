"""A model folder's modules and shapes, without its weights: seconds and no memory."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from paraspec.models.folder import check_files
from paraspec.models.load import UNLOADABLE, quiet_transformers, unloadable


def skeleton(folder: Path, *, remote_code: bool = False) -> PreTrainedModel:
    """Build the model that a folder's configuration describes, on the meta device.

    Raises
    ------
    UserError
        If the folder lacks configuration or weights, or is no causal language model.
    """
    quiet_transformers()
    check_files(folder)
    try:
        config = AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=remote_code
        )
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(
                config, trust_remote_code=remote_code
            ).eval()
    except UNLOADABLE as error:
        raise unloadable(folder, "the model", error) from error

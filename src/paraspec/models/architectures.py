"""Where each architecture keeps its value vectors: one row per ``model_type``.

To add a row: name the module that maps an MLP's coefficients back to the residual
stream by its path within a block, and say how its weight lies. Then give the class a
tiny configuration in ``tests/conftest.py`` and a computation by hand in
``tests/models/by_hand.py``: the tests of every row run on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Layout = Literal["columns", "rows"]
"""``columns``: value vector ``j`` is column ``j`` of a matrix ``[d_model, d_ff]``;
``rows``: row ``j`` of a matrix ``[d_ff, d_model]``."""


@dataclass(frozen=True)
class Place:
    """One down projection within a block."""

    suffix: str
    """Path of the module after the block's number."""
    layout: Layout = "columns"
    routed: bool = False
    """A stack of experts' matrices, ``[expert, ...]``, that tokens are routed to."""


GATED = Place("mlp.down_proj")
C_PROJ = Place("mlp.c_proj")
NEOX = Place("mlp.dense_4h_to_h")
FC_OUT = Place("mlp.fc_out")
EXPERTS = Place("mlp.experts", routed=True)

ARCHITECTURES: Mapping[str, tuple[Place, ...]] = {
    "llama": (GATED,),
    "mistral": (GATED,),
    "qwen2": (GATED,),
    "qwen3": (GATED,),
    "gemma": (GATED,),
    "gemma2": (GATED,),
    "gemma3_text": (GATED,),
    "olmo": (GATED,),
    "olmo2": (GATED,),
    "olmo3": (GATED,),
    "phi3": (GATED,),
    "stablelm": (GATED,),
    "cohere": (GATED,),
    "cohere2": (GATED,),
    "granite": (GATED,),
    "smollm3": (GATED,),
    "glm4": (GATED,),
    "phi": (Place("mlp.fc2"),),
    "gpt2": (Place("mlp.c_proj", "rows"),),  # Conv1D
    "gpt_neo": (C_PROJ,),
    "gpt_bigcode": (C_PROJ,),
    "starcoder2": (C_PROJ,),
    "gpt_neox": (NEOX,),
    "bloom": (NEOX,),
    "falcon": (NEOX,),
    "gptj": (FC_OUT,),
    "codegen": (FC_OUT,),
    "opt": (Place("fc2"),),
    "mpt": (Place("ffn.down_proj"),),
    "mixtral": (EXPERTS,),
    "olmoe": (EXPERTS,),
    "qwen3_moe": (GATED, EXPERTS),
    "qwen2_moe": (GATED, EXPERTS, Place("mlp.shared_expert.down_proj")),
    "deepseek_v3": (GATED, EXPERTS, Place("mlp.shared_experts.down_proj")),
    "gpt_oss": (Place("mlp.experts", "rows", routed=True),),
}
"""A block holds one or more of its row's places: dense layers among mixtures have the
first, a layer with routed and shared experts the others, in this order."""

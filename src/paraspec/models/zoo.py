"""Recipes of the study's own models: a table row becomes a fresh transformers model."""

import torch
from transformers import (
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MixtralConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
)
from transformers.models.auto import AutoModelForCausalLM

from paraspec.core.model_table import ModelRow
from paraspec.core.seeds import seed_for

MAX_POSITIONS = 64
"""Longest sentence in tokens; the factbook's stay below."""

_COMMON_NAMES = {
    "llama": LlamaConfig,
    "qwen2": Qwen2Config,
    "mixtral": MixtralConfig,
    "gpt_neox": GPTNeoXConfig,
}


def model_config(row: ModelRow, vocab_size: int) -> PreTrainedConfig:
    """Translate a recipe into the configuration of its model class."""
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if row.architecture == "gpt2":
        return GPT2Config(
            vocab_size=vocab_size,
            n_positions=MAX_POSITIONS,
            n_embd=row.d_model,
            n_layer=row.n_layers,
            n_head=row.n_heads,
            n_inner=row.d_ff,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            **tokens,
        )
    extra: dict[str, object] = {}
    if row.architecture == "mixtral":
        extra = {"num_local_experts": row.n_experts, "num_experts_per_tok": 2}
    if row.architecture in ("llama", "qwen2", "mixtral"):
        extra["num_key_value_heads"] = row.n_heads
    return _COMMON_NAMES[row.architecture](
        vocab_size=vocab_size,
        max_position_embeddings=MAX_POSITIONS,
        hidden_size=row.d_model,
        num_hidden_layers=row.n_layers,
        num_attention_heads=row.n_heads,
        intermediate_size=row.d_ff,
        tie_word_embeddings=True,
        **tokens,
        **extra,
    )


def fresh_model(row: ModelRow, vocab_size: int) -> PreTrainedModel:
    """Make a model with seeded random weights: its baseline's, if it has one."""
    name = row.baseline or row.model
    torch.manual_seed(seed_for("weights", row.seed, name) % 2**31)
    return AutoModelForCausalLM.from_config(
        model_config(row, vocab_size), dtype=torch.float32
    )

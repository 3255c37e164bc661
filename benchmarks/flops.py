"""Floating-point operations that the answers need, whoever gives them.

Useful work of one answer, with P prompt tokens and options of L tokens each:

    2 N (P + sum(L - 1))              every matrix of the blocks, per token fed
    + 2 d V (1 + sum(L - 1))          output embedding, per position that predicts
    + 4 a sum over tokens fed of t    attention scores and weighted values

N: entries of the blocks' weight matrices; d: width; V: vocabulary; a: attention width
(heads x head size) summed over layers; t: tokens that a token attends to, itself
included. The prompt counts once, an option's last token predicts nothing and does not
count, nor does padding: what a way computes beyond that lowers its share. Norms,
activations and softmax are not counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel

from paraspec.measure.prompts import Prompt


@dataclass(frozen=True)
class Shape:
    """The numbers of a model that the formula needs."""

    block_weights: int
    d_model: int
    vocab: int
    attention_width: int

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Shape":
        """Count them in a model whose blocks hold linear layers."""
        config = model.config.get_text_config()
        head = model.get_output_embeddings()
        in_blocks = sum(
            module.weight.numel()
            for module in model.modules()
            if isinstance(module, nn.Linear) and module is not head
        )
        head_size = getattr(config, "head_dim", None) or (
            config.hidden_size // config.num_attention_heads
        )
        return cls(
            in_blocks,
            config.hidden_size,
            head.weight.shape[0],
            config.num_hidden_layers * config.num_attention_heads * head_size,
        )


def useful_flops(shape: Shape, prompts: Iterable[Prompt]) -> float:
    """Operations that answering these prompts needs, one by one."""
    return float(sum(_answer_flops(shape, prompt) for prompt in prompts))


def _answer_flops(shape: Shape, prompt: Prompt) -> int:
    start = len(prompt.prefix)
    tails = [len(option) - 1 for option in prompt.options]
    attended = start * (start + 1) // 2 + sum(
        tail * start + tail * (tail + 1) // 2 for tail in tails
    )
    return (
        2 * shape.block_weights * (start + sum(tails))
        + 2 * shape.d_model * shape.vocab * (1 + sum(tails))
        + 4 * shape.attention_width * attended
    )


def tokens_fed(prompt: Prompt) -> int:
    """Tokens of one answer that have to pass through the blocks."""
    return len(prompt.prefix) + sum(len(option) - 1 for option in prompt.options)

"""The models that are measured: three sizes of Llama with random weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from transformers import LlamaConfig, PreTrainedTokenizerBase
from transformers.models.auto import AutoModelForCausalLM

from paraspec.core.config import MeasureConfig
from paraspec.core.definitions import PRIMARY_RATIO, primary_ratio
from paraspec.core.errors import UserError
from paraspec.measure.plan import Grid
from paraspec.models.load import LoadedModel, count_parameters, quiet_transformers
from paraspec.models.sites import value_vector_sites

TOKENIZER_VOCAB = 2048
"""Tokens of the factbook's BPE, at every size: prompts have the same lengths."""

LONGEST = 128
"""Positions of a model; the factbook's prompts stay below."""


@dataclass(frozen=True)
class Case:
    """A model's size, the work it gets, and what is expected of it."""

    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int
    vocab: int
    tied: bool
    dtype: str
    device: str
    grid: str
    """``study``: every mask of config/miniature.yaml; ``primary``: the ratio .05."""
    per_cell: int
    """Concepts per category x tier whose questions rank the value vectors."""
    n_concepts: int
    """Concepts whose masks are applied."""
    threads: tuple[int, ...]
    """Numbers of threads to choose from."""
    batch_rows: tuple[int, ...]
    """Questions per batch to choose from."""
    checked_rows: int
    """Rows that every way answers in float32 before anything is timed."""
    trial_rows: int
    """Rows on which a way's threads and batch size are chosen."""
    loop_rows: int
    """Rows that the plain loop answers; its time for all is extrapolated."""
    repeats: int
    """Timed runs of each batched way; the median counts."""
    matmul_size: int
    compiled: bool
    """Whether ours also runs with ``torch.compile``."""
    goal_times_loop: float
    goal_share: float | None
    """Of the device's measured matrix-product rate."""


CASES: Mapping[str, Case] = {
    "zoo": Case(
        *(64, 2, 4, 256, TOKENIZER_VOCAB),
        tied=True,
        dtype="float32",
        device="cpu",
        grid="study",
        per_cell=9,
        n_concepts=3,
        threads=(1, 2),
        batch_rows=(32, 128, 512),
        checked_rows=60,
        trial_rows=1000,
        loop_rows=100_000,
        repeats=3,
        matmul_size=2048,
        compiled=False,
        goal_times_loop=8,
        goal_share=None,
    ),
    "100m": Case(
        *(768, 12, 12, 2048, 32_000),
        tied=True,
        dtype="float32",
        device="cpu",
        grid="primary",
        per_cell=3,
        n_concepts=1,
        threads=(2,),
        batch_rows=(4, 16),
        checked_rows=15,
        trial_rows=30,
        loop_rows=90,
        repeats=1,
        matmul_size=2048,
        compiled=False,
        goal_times_loop=2,
        goal_share=0.70,
    ),
    "7b": Case(
        *(4096, 32, 32, 11_008, 32_000),
        tied=False,
        dtype="bfloat16",
        device="cuda",
        grid="study",
        per_cell=9,
        n_concepts=3,
        threads=(8,),
        batch_rows=(32, 128, 512),
        checked_rows=60,
        trial_rows=512,
        loop_rows=120,
        repeats=3,
        matmul_size=8192,
        compiled=True,
        goal_times_loop=10,
        goal_share=0.60,
    ),
}


def random_llama(
    case: Case, device: torch.device, tokenizer: PreTrainedTokenizerBase
) -> LoadedModel:
    """Make the case's model on the device itself.

    Weights have standard deviation ``1.5 / sqrt(d_model)``, above the usual .02 at
    every size, so that each layer moves the residual stream and masks change answers.
    """
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "benchmarks.engine",
            "this case needs a GPU, and torch sees none",
            "Choose --case zoo or 100m, or try it with --device cpu --shrink 32",
        )
    quiet_transformers()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=case.vocab,
        hidden_size=case.d_model,
        num_hidden_layers=case.n_layers,
        num_attention_heads=case.n_heads,
        num_key_value_heads=case.n_heads,
        intermediate_size=case.d_ff,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=case.tied,
        initializer_range=1.5 / case.d_model**0.5,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    with device:
        model = AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, case.dtype)
        )
    model = model.eval().requires_grad_(requires_grad=False)
    return LoadedModel(model, tokenizer, value_vector_sites(model))


def grid_of(case: Case, loaded: LoadedModel, measure: MeasureConfig) -> Grid:
    """Masks of the case: the study's, or those at the primary ratio alone."""
    if case.grid == "primary":
        one = (PRIMARY_RATIO,)
        return Grid(one, one, (), PRIMARY_RATIO, draws=1)
    return Grid.of(measure, primary_ratio(count_parameters(loaded.model).total))

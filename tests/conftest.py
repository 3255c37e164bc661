"""Fixtures that several rooms' tests share."""

from collections import defaultdict
from zlib import crc32

import pytest


@pytest.fixture(scope="session")
def factbook():
    """The factbook with its coverage, built once per test process."""
    from paraspec.data.factbook.build import build, categories

    return build(categories())


@pytest.fixture(scope="session")
def factbook_text(factbook) -> str:
    """The factbook as a concept file."""
    from paraspec.data.factbook.build import to_jsonl

    return to_jsonl(factbook.concepts)


@pytest.fixture(scope="session")
def small_concepts(factbook_text) -> str:
    """Two concepts of every category x tier cell, as a concept file."""
    import json

    cells = defaultdict(list)
    for line in factbook_text.splitlines():
        concept = json.loads(line)
        cells[concept["category"], concept["tier"]].append(line)
    return "\n".join(line for cell in cells.values() for line in cell[:2]) + "\n"


# Real models made tiny: random weights, two layers, 24 value vectors each. torch is
# imported within the fixtures, so that the rooms without it are tested without it.

COMMON = {
    "vocab_size": 320,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
COMMON_ONLY: dict[str, object] = {}
GPT2_LIKE = {"n_inner": 24, "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
HEADS = {"head_dim": 8}  # where a class does not take it from the width
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
FINE_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
TINY = {
    **dict.fromkeys(("llama", "mistral", "qwen2", "olmo", "olmo2"), COMMON_ONLY),
    **dict.fromkeys(("olmo3", "phi", "phi3", "stablelm", "cohere"), COMMON_ONLY),
    **dict.fromkeys(("cohere2", "granite"), COMMON_ONLY),
    **dict.fromkeys(("smollm3", "starcoder2", "gpt_neox", "persimmon"), COMMON_ONLY),
    **dict.fromkeys(("gemma", "gemma2", "gemma3_text", "qwen3", "glm4"), HEADS),
    "gpt2": GPT2_LIKE,
    "gpt_bigcode": GPT2_LIKE,
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "bloom": {"n_layer": 2, "n_head": 2},
    "falcon": {"ffn_hidden_size": 24, "alibi": False},
    "gptj": {"n_inner": 24, "rotary_dim": 4},
    "codegen": {"n_inner": 24, "rotary_dim": 4, "num_attention_heads": 4},
    "opt": {"ffn_dim": 24, "word_embed_proj_dim": 16, "dropout": 0.0},
    "mpt": {"max_seq_len": 64},
    "mixtral": EXPERTS,
    "olmoe": {"num_experts": 4, "num_experts_per_tok": 2, "norm_topk_prob": True},
    "qwen3_moe": FINE_EXPERTS | HEADS | {"mlp_only_layers": [0]},
    "qwen2_moe": FINE_EXPERTS | {"shared_expert_intermediate_size": 32},
    "deepseek_v3": {
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_shared_experts": 2,
        "moe_intermediate_size": 24,
        "first_k_dense_replace": 1,
        "n_group": 2,
        "topk_group": 1,
        "routed_scaling_factor": 2.5,
        "kv_lora_rank": 8,
        "q_lora_rank": 8,
        "v_head_dim": 8,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 4,
    },
    # A limit so low that it clamps the random gates.
    "gpt_oss": EXPERTS | HEADS | {"swiglu_limit": 0.1},
    # Not in the table of architectures.
    "xglm": {"ffn_dim": 24, "dropout": 0.0, "attention_dropout": 0.0},
    "ernie4_5": {"head_dim": 32},  # attention's output is wider than the MLP's
    "glm4_moe": {
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_shared_experts": 1,
        "moe_intermediate_size": 24,
        "first_k_dense_replace": 1,
    },
    "recurrent_gemma": {"lru_width": 24, "intermediate_size": 48},  # of both halves
    **dict.fromkeys(("mamba", "rwkv", "llama4_text"), COMMON_ONLY),
}
"""Hugging Face ``model_type`` to what its tiny configuration has beside COMMON."""


@pytest.fixture(scope="session")
def tiny():
    """Make a tiny model of any architecture with seeded random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from paraspec.models.load import quiet_transformers

    torch.set_num_threads(1)
    quiet_transformers()

    def make(kind, dtype="float32", **changes):
        config = AutoConfig.for_model(kind, **COMMON | TINY[kind] | changes)
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        for parameter in model.parameters():  # larger than 0.02, so that effects show
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):  # DeepSeek's, trained too
                buffer.add_(torch.randn_like(buffer) * 0.1)
        return model.to(getattr(torch, dtype)).eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def loaded(tiny, tokenizer):
    """Make a tiny model with tokenizer and sites, ready to be measured."""
    from paraspec.models.load import LoadedModel
    from paraspec.models.sites import value_vector_sites

    def make(kind, **changes):
        model = tiny(kind, **{"vocab_size": len(tokenizer), **changes})
        return LoadedModel(model, tokenizer, value_vector_sites(model))

    return make


# Made-up concepts whose answers are all different: no two of them are in conflict.

RELATIONS = tuple(f"relation{i}" for i in range(10))
WORDINGS = (
    "The {r} of {n} is",
    "As for {n}, its {r} is",
    "{n} has as its {r}",
    "People say that the {r} of {n} is",
    "In the case of {n}, the {r} is",
)


def _made_up_concept(category, tier, i):
    from paraspec.data.format import Concept, Question

    name = f"{category.title()} {tier} {i}"
    slug = name.lower().replace(" ", "-")
    code = crc32(slug.encode())

    def question(q, relation):
        options = [f"{w} {code} {q}" for w in ("ash", "birch", "cedar", "dog rose")]
        return Question(
            item=f"{slug}.{relation}",
            relation=relation,
            question=f"What is the {relation} of {name}?",
            options=tuple(options),
            gold=(i + q) % 4,
            statements=tuple(w.format(r=relation, n=name) for w in WORDINGS),
            half="AB"[q % 2],
        )

    return Concept(
        concept=slug,
        name=name,
        category=category,
        tier=tier,
        zipf=3.0,
        questions=tuple(question(q, r) for q, r in enumerate(RELATIONS)),
    )


@pytest.fixture(scope="session")
def made_up():
    """Make up concepts: so many in each category x tier cell."""

    def make(per_cell, categories=("ant", "bee", "cow")):
        return [
            _made_up_concept(category, tier, i)
            for category in categories
            for tier in ("high", "mid", "low")
            for i in range(per_cell)
        ]

    return make


@pytest.fixture(scope="session")
def tokenizer(made_up, tmp_path_factory):
    """Zoo tokenizer trained on made-up sentences."""
    from paraspec.data.corpus import training_sentences
    from paraspec.models.tokenizer import load_tokenizer, train_tokenizer

    concepts = made_up(2)
    corpus = training_sentences(concepts, {c.concept: 1 for c in concepts}, seed=0)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    train_tokenizer(corpus["text"], 320).save(str(path))
    return load_tokenizer(path)


@pytest.fixture(scope="session")
def study(made_up, tokenizer, tmp_path_factory):
    """A tiny study's planned files: 9 concepts, 9 never seen, a tokenizer."""
    from paraspec.core.layout import StudyFiles
    from paraspec.core.table import write_table
    from paraspec.core.tables.planned import CONCEPTS, CORPUS, PROMPTS, SETS
    from paraspec.data.corpus import training_sentences
    from paraspec.data.sets import set_table
    from paraspec.data.study import (
        assign_exposures,
        concept_table,
        prompt_table,
        select_concepts,
    )

    files = StudyFiles(tmp_path_factory.mktemp("study"))
    chosen, unseen = select_concepts(made_up(2), 1, 0, "made up")
    levels = assign_exposures(chosen, (8, 2, 1), 0)
    frames = {
        "concepts": (concept_table(chosen, levels), CONCEPTS),
        "prompts": (prompt_table(chosen, 0), PROMPTS),
        "never_seen": (prompt_table(unseen, 0, chosen), PROMPTS),
        "sets": (set_table(chosen, [], 8, 0), SETS),
        "corpus": (training_sentences(chosen, levels, 0), CORPUS),
    }
    for name, (frame, table) in frames.items():
        write_table(frame, table, files.data(f"{name}.parquet"))
    tokenizer.backend_tokenizer.save(str(files.data("tokenizer.json")))
    return files


@pytest.fixture(scope="session")
def concept_file(made_up):
    """Write made-up concepts as JSON lines."""

    def write(path, per_cell):
        lines = [c.model_dump_json() for c in made_up(per_cell)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write

"""Where a model goes, and that one spread over GPUs answers as on one."""

from types import SimpleNamespace

import pytest
import torch

from paraspec.core.config import Asking
from paraspec.data.study import prompt_table
from paraspec.measure.extract import Membership, extract
from paraspec.measure.prompts import tokenise
from paraspec.measure.scoring import Masks, answer
from paraspec.models import load
from paraspec.models.folder import weight_bytes
from paraspec.models.load import load_model, placement
from paraspec.models.weights import zeroed


def test_weights_are_counted_without_loading_them(saved):
    folder = saved("llama")
    n = sum(p.numel() for p in load_model(folder).model.parameters())
    assert weight_bytes(folder, torch.bfloat16) == 2 * n
    assert weight_bytes(folder, torch.float32) == 4 * n


@pytest.mark.parametrize(
    ("gpus", "gpu_bytes", "place"),
    [(0, 0, "cpu"), (1, 1, "cuda:0"), (2, 10**12, "cuda:0"), (2, 1000, "auto")],
)
def test_only_a_model_above_one_gpu_is_spread(
    gpus, gpu_bytes, place, saved, monkeypatch
):
    one = SimpleNamespace(total_memory=gpu_bytes)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: one)
    assert placement(saved("llama"), torch.float32) == place


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
@pytest.mark.parametrize("kind", ["llama", "mixtral"])
def test_a_model_spread_over_gpus_answers_as_on_one(
    kind, saved, made_up, tokenizer, monkeypatch
):
    folder = saved(kind, num_hidden_layers=6)
    table = prompt_table(made_up(1)[:4], seed=0)
    prompts = list(tokenise(table, Asking(), tokenizer).values())
    lines = {p.item: ((0, 2, 3), (1, 2, 3), (3,))[i % 3] for i, p in enumerate(prompts)}
    members = Membership(("c",), lines)
    found = []
    for share in (1.0, 0.0):
        monkeypatch.setattr(load, "SHARE_FOR_WEIGHTS", share)
        model = load_model(folder)
        n_devices = len({p.device for p in model.model.parameters()})
        assert n_devices == (1 if share else 2)
        keep = [
            (torch.arange(len(prompts) * s.n) % 3 > 0).view(-1, s.n).to("cuda:0")
            for s in model.sites
        ]
        masked = answer(model, prompts, Masks(keep), packed=True)
        with zeroed(model.sites, [layer[0] for layer in keep]):
            weighted = answer(model, prompts, Masks([]), packed=False)
        means = extract(model, prompts, members, 16, lambda _: None)
        found.append((masked, weighted, means))
    one, other = found
    for ours, theirs in zip(one[0] + one[1], other[0] + other[1], strict=True):
        assert ours.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)
    for a, b in zip(one[2].related, other[2].related, strict=True):
        assert torch.allclose(a, b, atol=1e-5)

"""Running one short prompt to see whether coefficients can be read and masked.

The faults tried for are those that stay silent otherwise: a hook that never fires, a
mask that does nothing, two ways of masking that disagree, numbers that overflow.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float, Int

from paraspec.core.errors import UserError
from paraspec.models.load import LoadedModel
from paraspec.models.preflight.report import Finding
from paraspec.models.sites import Site
from paraspec.models.taps import Slots, masked, tapped
from paraspec.models.weights import zeroed

TOLERANCE = {"float32": 5e-4, "bfloat16": 1e-2, "float16": 1e-2}
"""Noise of logits, as a share of the largest: value-vectors.md, measured. The two
back-ends were equal bit for bit on every class tried."""
SAVED_BYTES = 2**30
"""Weights that masking by weight may copy at a time."""

Run = Callable[[int], Float[torch.Tensor, "row vocab"]]
"""Runs the prompt in so many equal rows; logits of the last position."""


def probe(loaded: LoadedModel, ids: Int[torch.Tensor, "1 pos"]) -> Iterator[Finding]:
    """Try hooks and masks on a prompt.

    Parameters
    ----------
    loaded
        Model and sites.
    ids
        A short prompt.
    """

    def run(rows: int = 1) -> Float[torch.Tensor, "row vocab"]:
        with torch.inference_mode():
            out = loaded.model(
                input_ids=ids.expand(rows, -1), use_cache=False, logits_to_keep=1
            )
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    yield _finite_weights(loaded)
    fires, finite = _watched(loaded.sites, run)
    yield fires
    yield finite
    if "fail" in (fires.outcome, finite.outcome):
        return  # masks have nothing to act on, or NaN, which equals nothing
    plain = run()
    yield _empty_mask(loaded.sites, run, plain)
    yield _full_masks(loaded.sites, run, plain)
    yield _back_ends(loaded, run, plain)
    same = torch.equal(run(), plain)
    yield Finding(
        "the model is left as it was",
        "pass" if same else "fail",
        "logits after all masks are those before, bit for bit"
        if same
        else "logits after all masks are not those before",
    )


def _finite_weights(loaded: LoadedModel) -> Finding:
    for name, parameter in loaded.model.named_parameters():
        if parameter.is_meta or parameter.element_size() < 2 or not parameter.numel():
            continue  # offloaded or quantised
        if not all(torch.isfinite(end) for end in torch.aminmax(parameter)):
            return Finding("weights are finite", "fail", f"NaN or infinity in {name}")
    return Finding("weights are finite", "pass", "no NaN, no infinity")


def _watched(sites: Sequence[Site], run: Run) -> tuple[Finding, Finding]:
    """See every site's coefficients in one pass."""
    fired = [0] * len(sites)
    width = [0] * len(sites)
    finite = [True] * len(sites)

    def tap(number: int, slots: Slots) -> None:
        fired[number] += 1
        width[number] = slots.coefficients.shape[-1]
        finite[number] = bool(torch.isfinite(slots.coefficients).all())

    with tapped(sites, tap):
        logits = run(1)
    faults = [
        f"{site.name} fired {fired[i]} times with {width[i]} coefficients, "
        f"once with {site.d_ff} expected"
        for i, site in enumerate(sites)
        if (fired[i], width[i]) != (1, site.d_ff)
    ]
    fires = Finding(
        "every hook fires",
        "fail" if faults else "pass",
        _some(faults) or f"{len(sites)} sites, once each, with d_ff coefficients",
    )
    sick = [site.name for site, well in zip(sites, finite, strict=True) if not well]
    if not sick and not bool(torch.isfinite(logits).all()):
        sick = ["the logits"]
    return fires, Finding(
        "activations are finite",
        "fail" if sick else "pass",
        f"NaN or infinity first in {sick[0]}" if sick else "no NaN, no infinity",
    )


def _empty_mask(sites: Sequence[Site], run: Run, plain: torch.Tensor) -> Finding:
    with masked(sites, _everywhere(sites, plain.device, kept=True)):
        changed = (run(1) - plain).abs().max().item()
    return Finding(
        "an empty mask changes nothing",
        "fail" if changed else "pass",
        f"logits move by {changed:.2g}" if changed else "logits equal bit for bit",
    )


def _full_masks(sites: Sequence[Site], run: Run, plain: torch.Tensor) -> Finding:
    name = "masking changes the logits"
    with masked(sites, _everywhere(sites, plain.device, kept=False)):
        if torch.equal(run(1), plain):
            return Finding(name, "fail", "masking every value vector changes no logit")
    dead = _dead(sites, run)
    return Finding(
        name,
        "fail" if dead else "pass",
        f"masking all of {_some(dead)} changes no logit"
        if dead
        else "so does masking all of any one site",
    )


def _everywhere(
    sites: Sequence[Site], device: torch.device, *, kept: bool
) -> list[torch.Tensor]:
    return [
        torch.full((1, site.n), kept, dtype=torch.bool, device=device) for site in sites
    ]


def _dead(sites: Sequence[Site], run: Run) -> list[str]:
    """Sites that may be masked whole without a change of any logit.

    One batch tells: its row ``i`` has site ``i`` masked.
    """

    def tap(number: int, slots: Slots) -> torch.Tensor:
        token = (
            torch.arange(slots.n_tokens, device=slots.coefficients.device)
            if slots.routes is None
            else slots.routes.token
        )
        row = token // (slots.n_tokens // len(sites))
        return slots.coefficients * (row != number)[:, None]

    unmasked = run(len(sites))
    with tapped(sites, tap):
        moved = (run(len(sites)) != unmasked).any(1).tolist()
    return [site.name for site, moves in zip(sites, moved, strict=True) if not moves]


def _back_ends(loaded: LoadedModel, run: Run, plain: torch.Tensor) -> Finding:
    """Mask a random half by hook and by weight, a few sites at a time."""
    name = "hook and weight masking agree"
    rng = torch.Generator().manual_seed(0)
    worst = 0.0
    for sites in _groups(loaded.sites):
        keep = [(torch.rand(s.n, generator=rng) > 0.5).to(plain.device) for s in sites]
        with masked(sites, [kept[None] for kept in keep]):
            by_hook = run(1)
        try:
            with zeroed(sites, keep):
                by_weight = run(1)
        except UserError as error:
            return Finding(name, "warning", f"only hooks can mask: {error.fault}")
        worst = max(worst, (by_hook - by_weight).abs().max().item())
    share = worst / max(plain.abs().max().item(), 1e-30)
    allowed = TOLERANCE[str(plain.dtype).removeprefix("torch.")]
    return Finding(
        name,
        "pass" if share <= allowed else "fail",
        f"logits differ by {share:.2g} of the largest, {allowed:g} allowed",
    )


def _groups(sites: Sequence[Site]) -> Iterator[list[Site]]:
    """Sites in runs whose weights are together no larger than may be copied."""
    group: list[Site] = []
    size = 0
    for site in sites:
        if group and size + site.weight.nbytes > SAVED_BYTES:
            yield group
            group, size = [], 0
        group.append(site)
        size += site.weight.nbytes
    yield group


def _some(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more

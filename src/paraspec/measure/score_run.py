"""Scoring one model under its masks, from files to files."""

import logging
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from paraspec.core.config import Asking, ControlsConfig, MeasureConfig
from paraspec.core.definitions import NONE, PAPER_SELECTOR, Masking, primary_ratio
from paraspec.core.errors import UserError
from paraspec.core.files import sha256_text
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.measured import COLLATERAL, ITEMS, MASKS
from paraspec.core.tables.planned import NEUTRAL, PROMPTS
from paraspec.measure.activation_files import load_activations, load_statistics
from paraspec.measure.baseline import with_baseline
from paraspec.measure.chunked import (
    WHOLE,
    Part,
    Scoring,
    chunks_of,
    score_in_chunks,
)
from paraspec.measure.collateral import collateral_frame
from paraspec.measure.extract_run import rankings_of
from paraspec.measure.marks import fingerprint, run_facts
from paraspec.measure.method import Method, packing_holds
from paraspec.measure.plan import Grid, Mask, masks_of, swap_donors
from paraspec.measure.prepare import Planned, prepare
from paraspec.measure.prompts import Prompt
from paraspec.measure.ranked import UNRANKED, Rankings
from paraspec.measure.score import Asked, asked_items, mask_frame, unmasked_rows
from paraspec.measure.store import ItemStore, read_marked, write_marked
from paraspec.measure.wording import scorer_of
from paraspec.models.compiled import compile_beside_sites
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest

logger = logging.getLogger(__name__)


def run_score(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    config: MeasureConfig,
    asking: Asking,
    seed: int,
    code: str,
    part: Part = WHOLE,
    parts: Sequence[Path] = (),
    controls: ControlsConfig | None = None,
    *,
    cross: bool = False,
) -> None:
    """Write ``items``, ``masks``, ``never_seen`` and ``collateral.parquet``.

    A job that has a part only writes ``parts/<part>.parquet``; the job that has the
    whole takes such files over.

    Parameters
    ----------
    loaded, manifest
        The model, and what it is.
    files
        The study's files.
    config
        Masks and items.
    asking
        How items are asked.
    seed
        The study's seed.
    code
        Hash of the code that answers; answers of other code are not taken over.
    part
        Which chunks of concepts this job answers.
    parts
        Files of jobs that answered a part each.
    controls
        Control masks of this model, if it gets any.
    cross
        Whether every concept is asked under every other concept's mask.
    """
    model, study = manifest.model, Planned.read(files)
    rankings = _rankings(loaded, manifest, files, controls)
    if config.compile and not parts:  # with parts little is left to answer
        compiled = compile_beside_sites(loaded)
        logger.info("torch.compile: %d modules, such as %s", len(compiled), compiled[0])
    scoring = scoring_of(
        *(loaded, manifest, study, rankings, asking),
        *(config.batch_rows, config.masking),
    )
    grid = replace(
        Grid.of(config, primary_ratio(manifest.parameters_total)),
        controls=controls,
        cross=study.own if cross else (),
    )
    masks = _masks(study, grid, seed)
    asked = asked_items(study.sets)
    marks = _fingerprints(scoring, manifest, study, masks, asked, config, code)
    if part == WHOLE:
        _write_others(scoring, masks, files)
        _write_collateral(scoring, masks, grid, marks, study.added, files)
        store = ItemStore(files.measure(model, "items.parquet"), marks, parts)
    else:
        store = ItemStore(files.part(model, f"{part.number}-of-{part.of}"), marks)
    score_in_chunks(scoring, masks, asked, store, part, study.added)


def _rankings(
    loaded: LoadedModel,
    manifest: Manifest,
    files: StudyFiles,
    controls: ControlsConfig | None,
) -> Rankings:
    """Rankings of the model; controls need statistics that ``extract`` left."""
    activations = files.measure(manifest.model, "activations.safetensors")
    path = files.measure(manifest.model, "statistics.safetensors")
    statistics = load_statistics(path) if controls else None
    if controls and statistics is None:
        raise UserError(
            path,
            "holds no statistics to select control masks by",
            "Extract the model with --controls first",
        )
    return rankings_of(loaded, manifest, load_activations(activations), statistics)


def _masks(study: Planned, grid: Grid, seed: int) -> dict[str, list[Mask]]:
    """Every concept's masks."""
    about = study.concepts
    category = dict(zip(about["concept"], about["category"], strict=True))
    draws = grid.controls.draws if grid.controls else 1
    donors = swap_donors(category, seed, study.added, draws)
    return {c: list(masks_of(c, donors[c], grid)) for c in study.members.concepts}


def _fingerprints(
    scoring: Scoring,
    manifest: Manifest,
    study: Planned,
    masks: Mapping[str, Sequence[Mask]],
    asked: Mapping[str, Sequence[Asked]],
    config: MeasureConfig,
    code: str,
) -> dict[str, str]:
    """Hash of all that the answers of a concept's chunk depend on, by concept."""
    facts = run_facts(
        *(scoring.loaded, manifest, scoring.asking, config.batch_rows, code)
    )
    facts["method"] = [config.compile, scoring.method.packed]
    found: dict[str, str] = {}
    for chunk in chunks_of(list(masks), study.added):
        of_chunk = _of_chunk(scoring, study, chunk, masks, asked)
        found |= dict.fromkeys(chunk, fingerprint(facts | of_chunk))
    return found


def _of_chunk(
    scoring: Scoring,
    study: Planned,
    chunk: Sequence[str],
    masks: Mapping[str, Sequence[Mask]],
    asked: Mapping[str, Sequence[Asked]],
) -> dict[str, object]:
    """What the answers of one chunk depend on: questions, tables, rankings."""
    items = dict.fromkeys(each.item for concept in chunk for each in asked[concept])
    prompts = [scoring.prompts[item] for item in items]
    ranked = {
        mask.ranking.concept
        for concept in chunk
        for mask in masks[concept]
        if mask.ranking != UNRANKED
    }
    tables = (
        study.table[study.table["item"].isin(items)],
        study.sets[study.sets["concept"].isin(chunk)],
        scoring.about_concept[scoring.about_concept["concept"].isin(chunk)],
    )
    return {
        "prompts": sha256_text(repr(prompts)),
        "tables": [sha256_text(frame.to_csv(index=False)) for frame in tables],
        "ranked_by": {c: scoring.rankings.digest(c) for c in sorted(ranked)},
    }


def scoring_of(
    loaded: LoadedModel,
    manifest: Manifest,
    study: Planned,
    rankings: Rankings,
    asking: Asking,
    batch_rows: int,
    masking: Masking = "hook",
) -> Scoring:
    """A model with all that answering a study's items takes."""
    prompts = _asked(loaded, study.table, asking, batch_rows, study.added)
    packed = packing_holds(loaded, list(prompts.values()))
    written = asking.config.max_new_tokens if scorer_of(asking).generates else 0
    return Scoring(
        *(manifest.model, asking, loaded, rankings, prompts, study.table),
        _with_exposures(study.concepts, manifest),
        batch_rows,
        Method(packed, masking, written),
        manifest.trained_on_study,
    )


def _write_others(
    scoring: Scoring, masks: Mapping[str, Sequence[Mask]], files: StudyFiles
) -> None:
    """Write what the masks select, and the answers about concepts never met."""
    about = mask_frame(scoring.model, masks, scoring.rankings)
    _note_empty(about)
    write_table(about, MASKS, files.measure(scoring.model, "masks.parquet"))
    unseen = read_table(files.data("never_seen.parquet"), PROMPTS)
    if not scoring.trained_on_study:  # what others met in training is not known
        unseen = unseen.iloc[:0]
    path = files.measure(scoring.model, "never_seen.parquet")
    write_table(_unmasked(scoring, unseen), ITEMS, path)


def _write_collateral(
    scoring: Scoring,
    masks: Mapping[str, Sequence[Mask]],
    grid: Grid,
    answers: Mapping[str, str],
    added: Container[str],
    files: StudyFiles,
) -> None:
    """Write what masks do to neutral text, for models that get controls.

    ``answers`` are the marks of the concepts' answers, see ``_fingerprints``.
    """
    texts: list[str] = []
    if grid.controls and grid.controls.neutral_texts:
        table = read_table(files.data("neutral.parquet"), NEUTRAL)
        texts = list(table["text"][: grid.controls.neutral_texts])
    wanted = {c: [m for m in of if _reads(m, grid)] for c, of in masks.items()}
    marks = _collateral_marks(wanted, texts, answers, added)
    path = files.measure(scoring.model, "collateral.parquet")
    earlier = read_marked(path, COLLATERAL, marks)
    n_masks = sum(map(len, wanted.values())) - len(earlier)
    told = f"neutral text under {scoring.model}'s masks"
    with progress(told, n_masks * len(texts)) as advance:
        frame = collateral_frame(scoring, wanted, texts, advance, added, earlier)
    write_marked(frame, COLLATERAL, marks, path)


def _collateral_marks(
    wanted: Mapping[str, Sequence[Mask]],
    texts: Sequence[str],
    answers: Mapping[str, str],
    added: Container[str],
) -> dict[str, str]:
    """Mark of each concept's losses: one for the study's own, which share masks."""
    of = {c: [answers[c], repr(masks)] for c, masks in wanted.items()}
    shared = {"texts": texts, "own": [of[c] for c in wanted if c not in added]}
    return {
        c: fingerprint(shared | {"concept": of[c] if c in added else NONE})
        for c in wanted
    }


def _reads(mask: Mask, grid: Grid) -> bool:
    """Whether neutral text is read under a mask: each kind's first draw."""
    if mask.kind == "none":
        return True
    at_primary = mask.general and mask.ratio == grid.primary
    return at_primary and mask.draw == 0 and mask.selector in (*OWN, mask.kind)


OWN = (PAPER_SELECTOR, "random")
"""Selectors of masks under which neutral text is read; of controls also their own."""


def _asked(
    loaded: LoadedModel,
    table: pd.DataFrame,
    asking: Asking,
    batch_rows: int,
    added: Collection[str] = (),
) -> dict[str, Prompt]:
    """Questions of a prompt table; baselines of added concepts are read apart."""
    prompts = prepare(loaded, table, asking)
    if not scorer_of(asking).against_baseline:
        return prompts
    found: dict[str, Prompt] = {}
    apart = table["item_concept"].where(table["item_concept"].isin(added), NONE)
    for _, items in table["item"].groupby(apart.astype("str")):
        together = {item: prompts[item] for item in items}
        baseline = asking.config.baseline
        found |= with_baseline(loaded, together, baseline, batch_rows)
    return {item: found[item] for item in prompts}


def _unmasked(scoring: Scoring, table: pd.DataFrame) -> pd.DataFrame:
    """Answer every item of a prompt table once, without a mask."""
    if table.empty:
        return pd.DataFrame(columns=ITEMS.names)
    about = table[["item_concept", "category", "tier"]].drop_duplicates()
    about = about.rename(columns={"item_concept": "concept"}).assign(exposure=0)
    prompts = _asked(scoring.loaded, table, scoring.asking, scoring.batch_rows)
    asking = replace(scoring, prompts=prompts, about_item=table, about_concept=about)
    return asking.frame(unmasked_rows(table, scoring.rankings.counts), lambda _: None)


def _note_empty(masks: pd.DataFrame) -> None:
    """Say which ratios select nothing, so that nobody misses their rows."""
    empty = masks[(masks["k"] == 0) & (masks["mask"] != "none")]
    for ratio, n in empty.groupby("ratio").size().items():
        logger.info("ratio %g selects no value vector: %d masks skipped", ratio, n)


def _with_exposures(concepts: pd.DataFrame, manifest: Manifest) -> pd.DataFrame:
    """Concepts with the exposures of this very model."""
    unmet = concepts["concept"].isin(manifest.untrained) | (
        not manifest.trained_on_study
    )
    return concepts.assign(exposure=concepts["exposure"].mask(unmet, 0))

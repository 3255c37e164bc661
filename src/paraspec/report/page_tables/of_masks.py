"""Tables of mask kinds, selectors and controls."""

import pandas as pd

from paraspec.core.definitions import ALL, STRONG_PSS
from paraspec.core.tables.across_models import CONTROLS
from paraspec.report import numbers
from paraspec.report.inputs import StudyTables
from paraspec.report.kinds import BASIC, KINDS, rows_of
from paraspec.report.page_tables.cells import (
    PageTable,
    Write,
    estimate,
    figure,
    model,
    page_table,
    words,
)


def kinds_table(tables: StudyTables) -> PageTable:
    """Every kind of mask, mean over models."""
    rows = tables.controls[tables.controls["model"] == ALL]
    found = [rows_of(rows, kind).assign(kind=kind.name) for kind in KINDS]
    return page_table(
        "kinds",
        "Every kind of mask at the pre-registered ratio: means over the primary models "
        "measured under it, with intervals from resampling models and concepts. Top "
        "minus: how far the top mask exceeds it on the same models. SD: over draws.",
        pd.concat(found),
        {
            "mask": words("kind"),
            "models": figure("n_models", numbers.count),
            "draws": figure("draws", numbers.count),
            "signed": estimate("signed"),
            "SD": figure("draw_sd"),
            "top minus": estimate("top_minus"),
            "signed, margins": estimate("signed_margin"),
            "general accuracy, change": estimate("general_change"),
            "PSS": figure("pss"),
        },
    )


def controls_table(tables: StudyTables) -> PageTable:
    """One row per model: every basic mask's signed effect, and what top adds."""
    order = [ALL, *tables.final["model"][::-1]]
    rows = tables.controls[tables.controls["model"].isin(order)]
    columns: dict[str, Write] = {
        "model": model,
        "concepts": figure("top n_concepts", numbers.count),
    }
    columns |= {kind.name: estimate(f"{kind.mask} signed") for kind in BASIC}
    columns |= {
        "top minus random": estimate("random top_minus"),
        "top minus swap": estimate("swap top_minus"),
        "general accuracy, change under top": estimate("top general_change"),
        "same, under random": estimate("random general_change"),
        "log-odds, top (GEE)": estimate("top log_odds"),
        "active vectors hit, top": figure("top active_share", numbers.percent),
        "active vectors hit, random": figure("random active_share", numbers.percent),
    }
    return page_table(
        "controls",
        _controls_caption(rows),
        _wide(rows, order),
        columns,
        fold="The basic masks, model by model",
    )


def _wide(rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """One row per model, columns ``<mask> <column>``, NaN for what is missing."""
    names = [column.name for column in CONTROLS.columns if column.kind == "number"]
    parts = []
    for kind in BASIC:
        mine = rows_of(rows, kind).set_index("model")[["n_concepts", *names]]
        parts.append(mine.add_prefix(f"{kind.mask} "))
    wide = pd.concat(parts, axis=1)
    return wide.reindex([m for m in order if m in wide.index]).reset_index(
        names="model"
    )


def _controls_caption(rows: pd.DataFrame) -> str:
    single = rows[rows["model"] != ALL]
    top, random = rows_of(single, BASIC[0]), rows_of(single, BASIC[-1])
    holds, strong = int(random["contains_zero"].sum()), random["strong"].sum()
    draws = numbers.count(random["draws"].max()) if len(random) else "no"
    return (
        "The basic masks at the pre-registered ratio: signed effect of each, and how "
        f"far the top mask exceeds it (paired). Random: {draws} draws; its interval "
        f"holds zero in {holds} of {numbers.counted(len(random), 'model')}. PSS is "
        f"over {STRONG_PSS:g} in {int(top['strong'].sum())} of them under the top mask "
        f"and in {int(strong)} under random masks. Log-odds: item-level GEE clustered "
        "by concept."
    )


def selectors_table(tables: StudyTables) -> PageTable:
    """Every way of selecting: means over models, and the model with planted facts."""
    rows = tables.selectors
    shown = rows[(rows["model"] == ALL) | rows["recall"].notna()]
    return page_table(
        "selectors",
        "Ways of ranking a concept's value vectors, at the pre-registered ratio. "
        "Halves: Jaccard index of the masks selected on both halves of the questions. "
        "Participation and Gini: how unevenly the ranking's positive values are spread "
        "over vectors. Recall and area under the curve: planted vectors.",
        shown,
        {
            "selector": words("selector"),
            "model": model,
            "models": figure("n_models", numbers.count),
            "signed": estimate("signed"),
            "minus random": estimate("top_minus_random"),
            "halves": estimate("reliability"),
            "same category": figure("same_category"),
            "other category": figure("other_category"),
            "chance": figure("chance"),
            "selectivity": figure("selectivity"),
            "participation": figure("participation"),
            "Gini": figure("gini"),
            "recall": figure("recall"),
            "recall, chance": figure("recall_chance"),
            "area": figure("auc"),
        },
        "No other way of selecting was measured.",
        fold="Numbers of every way of selecting",
    )


def collateral_table(tables: StudyTables) -> PageTable:
    """What masks do to neutral text and to the form of answers."""
    rows = tables.collateral[tables.collateral["model"] == ALL]
    found = [rows_of(rows, kind).assign(kind=kind.name) for kind in KINDS]
    return page_table(
        "collateral",
        "Collateral damage, mean over models: loss on neutral text, answers that no "
        "option could be read from, and entropy of the chosen option's position (2 "
        "bits where four are chosen alike).",
        pd.concat(found),
        {
            "mask": words("kind"),
            "models": figure("n_models", numbers.count),
            "loss before": figure("loss_before"),
            "loss": figure("loss"),
            "change, nats": estimate("loss_change"),
            "perplexity, times": figure("perplexity_ratio"),
            "unparsed before": figure("unparsed_before", numbers.percent),
            "unparsed": figure("unparsed", numbers.percent),
            "entropy before": figure("entropy_before"),
            "entropy": figure("entropy"),
        },
        "No neutral text was read.",
        fold="Numbers of collateral damage",
    )


def non_knowledge_table(tables: StudyTables) -> PageTable:
    """What is asked like a concept but is no knowledge."""
    rows = tables.non_knowledge
    return page_table(
        "non-knowledge",
        "Controls that are asked like concepts but are no knowledge: accuracy on their "
        "own questions, and the signed effect against questions of other categories.",
        rows,
        {
            "asked": words("concept"),
            "model": model,
            "mask": words("mask"),
            "questions": figure("n_items", numbers.count),
            "before": figure("before"),
            "after": figure("after"),
            "signed": estimate("signed"),
        },
        "No such control was asked.",
        fold="Numbers of the controls that are no knowledge",
    )

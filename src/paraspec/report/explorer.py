"""What the page's explorer shows: every model and concept, as one small JSON text.

Strings stand once and are named by their place; answers are one character each. Keys,
as ``templates/report.js`` reads them:

``concepts``
    identifier, name, category, tier and exposure of each.
``questions``
    place of the concept, question, options, place of the right option of each.
``tokens``
    tokens that value vectors promote.
``ranks``
    value vectors that are listed for each layer and concept.
``models``
    one block for each model, see :func:`_model`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraspec.core.definitions import PAPER_SELECTOR
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.planned import PROMPTS
from paraspec.report.inputs import StudyTables, read_vectors, span
from paraspec.report.numbers import counted, number, parameters, percent, with_interval

LARGEST = 6_000_000
"""Bytes of models' answers and vectors that the page carries at most."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
NO_ANSWER = "-"
SHOWN_RANKS = 5
"""Value vectors of a layer that are shown; those whose tokens are known."""
COLUMNS = ["concept", "item", "selector", "mask", "ablation", "draw", "ratio"]
ANSWERS = ["correct", "predicted", "margin"]
FACTS = ("accuracy", "pss", "signed", "random_signed", "swap_signed")
FACT_NAMES = {
    "pss": "PSS",
    "random_signed": "signed, random vectors",
    "swap_signed": "signed, another's vectors",
}
CURVES = (("top", "own"), ("random", "own"), ("top", "same-category"))


@dataclass(frozen=True)
class Explorer:
    """The JSON text, and which models it holds."""

    text: str
    models: list[str]
    left_out: int
    first: str
    """Model that is shown before one is chosen."""


def explorer(root: Path, tables: StudyTables) -> Explorer:
    """Collect what the explorer shows, of as many models as :data:`LARGEST` allows.

    Raises
    ------
    UserError
        Where a table is missing.
    """
    files = StudyFiles(root)
    questions = _questions(files, tables.concepts)
    tokens: dict[str, int] = {}
    blocks = {
        name: _packed(_model(files, tables, name, questions, tokens))
        for name in tables.final["model"]
    }
    names = _within(blocks, tables.final)
    shared = {
        "concepts": _concepts(tables.concepts),
        "questions": _question_rows(questions),
        "tokens": list(tokens),
        "ranks": SHOWN_RANKS,
    }
    models = ",".join(blocks[name] for name in names)
    text = f'{_packed(shared)[:-1]},"models":[{models}]}}'
    first = tables.mapped if tables.mapped in names else "".join(names[-1:])
    return Explorer(text, names, len(blocks) - len(names), first)


def _packed(value: object) -> str:
    """JSON without blanks, safe within a ``<script>`` element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _within(blocks: Mapping[str, str], final: pd.DataFrame) -> list[str]:
    """Most models that fit, spread over the accuracy range, by ascending accuracy."""
    names = list(blocks)
    while names and sum(len(blocks[name].encode()) for name in names) > LARGEST:
        names = span(final, len(names) - 1) if len(names) > 2 else names[-1:]
        if len(names) == 1:
            break
    return names


def _questions(files: StudyFiles, concepts: pd.DataFrame) -> pd.DataFrame:
    """Questions about the study's concepts, a concept's together."""
    prompts = read_table(files.data("prompts.parquet"), PROMPTS)
    place = {name: i for i, name in enumerate(concepts["concept"])}
    mine = prompts[prompts["item_concept"].isin(place)]
    order = mine["item_concept"].map(place)
    return mine.assign(place=order).sort_values("place", kind="stable")


def _concepts(concepts: pd.DataFrame) -> list[list[object]]:
    columns = ["concept", "name", "category", "tier", "exposure"]
    return [
        [*map(str, row[:-1]), int(row[-1])]
        for row in concepts[columns].itertuples(index=False)
    ]


def _question_rows(questions: pd.DataFrame) -> list[list[object]]:
    """Place of the concept, question, options and gold of each question."""
    columns = ["place", "question", "options", "gold"]
    return [
        [int(place), question, json.loads(options), int(gold)]
        for place, question, options, gold in questions[columns].itertuples(index=False)
    ]


def _model(
    files: StudyFiles,
    tables: StudyTables,
    name: str,
    questions: pd.DataFrame,
    tokens: dict[str, int],
) -> dict[str, object]:
    """Everything about one model."""
    row = tables.final[tables.final["model"] == name].iloc[0]
    primary = float(row["primary_ratio"])
    answers = _own_answers(files.measure(name, "items.parquet"), primary)
    return {
        "name": name,
        "facts": _facts(row),
        "chance": round(float(row["chance"]), 3),
        "primary": primary,
        "curves": _curves(tables.curves[tables.curves["model"] == name]),
        **_answers(answers, questions),
        "vectors": _vectors(read_vectors(files, name), tables.concepts, tokens),
    }


def _facts(row: pd.Series) -> list[list[str]]:
    """What stands at the top of a model's page."""
    facts = [
        ["family", str(row["family"])],
        ["parameters", parameters(float(row["parameters_total"]))],
        ["layers", counted(int(row["n_layers"]), "layer")],
        ["mask ratio", percent(float(row["primary_ratio"]))],
    ]
    for column in FACTS:
        ends = [float(row[f"{column}{end}"]) for end in ("", "_low", "_high")]
        label = FACT_NAMES.get(column, column)
        facts.append([label, with_interval(*ends)])
    known = f"{int(row['n_known'])} of {counted(int(row['n_concepts']), 'concept')}"
    return [*facts, ["known", known], ["never seen", number(float(row["never_seen"]))]]


def _curves(rows: pd.DataFrame) -> list[list[object]]:
    """Mask, kinship, and pairs of ratio and accuracy in thousandths."""
    found: list[list[object]] = []
    for mask, kinship in CURVES:
        mine = rows[(rows["mask"] == mask) & (rows["kinship"] == kinship)]
        mine = mine[mine["accuracy"].notna()].sort_values("ratio")
        pairs = zip(mine["ratio"], mine["accuracy"], strict=True)
        points = [[float(ratio), round(1000 * value)] for ratio, value in pairs]
        if points:
            found.append([mask, kinship, points])
    return found


def _own_answers(path: Path, primary: float) -> pd.DataFrame:
    """Answers on the concepts' own items: unmasked, and at the primary ratio."""
    chosen = [
        ("set", "==", "concept"),
        ("ratio", "in", [0.0, primary]),
        ("mask", "in", ["none", "top", "random", "swap"]),
    ]
    frame = pd.read_parquet(path, columns=[*COLUMNS, *ANSWERS], filters=chosen)
    for column in ("concept", "item", "selector", "mask", "ablation"):
        frame[column] = frame[column].astype(str)
    of_paper = (frame["mask"] != "top") | (frame["selector"] == PAPER_SELECTOR)
    return frame[of_paper & frame["ablation"].isin(["-", "zero"])]


def _answers(answers: pd.DataFrame, questions: pd.DataFrame) -> dict[str, object]:
    """One character for each question and mask, and margins in tenths of a nat."""
    found: dict[str, object] = {}
    items, gold = list(questions["item"]), questions["gold"].to_numpy()
    for mask, key in (("none", "before"), ("top", "top"), ("swap", "swap")):
        mine = answers[(answers["mask"] == mask) & (answers["draw"] == 0)]
        mine = mine.drop_duplicates("item").set_index("item").reindex(items)
        found[key] = _digits(_chosen(mine, gold))
        if mask != "swap":
            tenths = (10 * mine["margin"]).round().fillna(0).astype(int)
            found[f"{key}_margin"] = tenths.tolist()
    random = answers[answers["mask"] == "random"].groupby("item")["correct"]
    found["random"] = _digits(random.sum().reindex(items))
    found["draws"] = int(random.size().max()) if len(random) else 0
    return found


def _chosen(
    answers: pd.DataFrame, gold: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Position of the chosen option: the right one if, and only if, it was correct."""
    chosen = answers["predicted"].to_numpy(dtype=float)
    wrong = np.where(chosen == gold, np.nan, chosen)
    return np.where(answers["correct"] == 1, gold, wrong)


def _digits(values: Iterable[float]) -> str:
    """One character each; a dash where there is no answer."""
    return "".join(
        DIGITS[int(value)] if 0 <= value < len(DIGITS) else NO_ANSWER
        for value in values
    )


def _vectors(
    rows: pd.DataFrame, concepts: pd.DataFrame, tokens: dict[str, int]
) -> list[list[list[object]]]:
    """Of each concept its first vectors: layer, number, coefficients, tokens.

    Coefficients are in thousandths; a token is its place in ``tokens``, which grows.
    """
    place = {name: i for i, name in enumerate(concepts["concept"])}
    found: list[list[list[object]]] = [[] for _ in place]
    first = rows[(rows["rank"] < SHOWN_RANKS) & rows["concept"].isin(place)]
    first = first.astype({"concept": str}).sort_values(["concept", "layer", "rank"])
    columns = ["concept", "layer", "vector", "related", "unrelated", "promoted"]
    for row in first[columns].itertuples(index=False):
        concept, layer, vector, related, unrelated, promoted = row
        named = [tokens.setdefault(t, len(tokens)) for t in json.loads(promoted)]
        means = [round(1000 * value) for value in (related, unrelated)]
        found[place[concept]].append([layer, vector, *means, named])
    return found

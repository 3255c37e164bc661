"""Figures hold what they should, in the same bytes, and survive missing data."""

import xml.etree.ElementTree as ElementTree
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from paraspec.core.layout import StudyFiles
from paraspec.report.figures import FIGURES, specificity, vectors, write_figure
from paraspec.report.inputs import StudyTables, span
from paraspec.report.style import house_style

SVG = "{http://www.w3.org/2000/svg}"
EVERY_MODEL = ("pss_accuracy", "controls")

EXPECTED = {
    "pss_accuracy": ("PSS", "Signed effect, floor-corrected", "Pearson r", "llama"),
    "controls": (
        *("Mean over models", "Top mask minus this one", "Model by model"),
        *("top vectors (5)", "another's, other category (3)", "random, as active (3)"),
        *("top, set to their mean (3)", "most active, no difference (3)"),
    ),
    "masking_curves": (
        *("own questions, top vectors", "chance", "50 %", "all at 10 %"),
        *("top, chosen in other words", "chosen on shuffled labels"),
    ),
    "specificity": ("Concept 0", "city", "whose vectors are masked", "its own"),
    "collateral": ("Loss on neutral text", "random, as active", "number-agreement"),
    "sizes": ("parameters without embeddings", "10 K", "moe"),
    "vectors": ("layer 0", "layer 1", "element", "by chance"),
    "selectors": ("t-statistic", "integrated-gradients", "recall within the mask"),
    "reliability": ("both halves of one concept", "global", "gpt2-32"),
    "arms": (
        *("Accuracy", "Signed effect", "Forgotten", "Semantic entropy"),
        *("PV, concepts' own", "original, untrained", "one seed", "without"),
    ),
    "induced": (
        *("Knowledge stored", "trained plainly", "dropout, suppresses", "slope "),
        "signed effect of masking the top vectors",
    ),
    "tiers": ("exposure", "tier", "category", "highest minus lowest:"),
    "trajectory": ("Accuracy before masking", "PSS", "training step"),
    "efficiency": ("Knock-out", "Keep only", "Margin left, random vectors"),
}
EMPTY = {
    "arms": "No model was fine-tuned.",
    "induced": "No model's specialisation was set in training.",
    "specificity": "No model was asked under every concept's mask.",
    "collateral": "No neutral text was read under a mask.",
    "sizes": "No model has a size.",
    "vectors": "No value vectors were described.",
    "selectors": "No other way of selecting was measured.",
    "reliability": "No masks of two halves were compared.",
    "pss_accuracy": "No model has both an accuracy and a value of PSS.",
    "controls": "No mask was measured at the pre-registered ratio.",
    "masking_curves": "No masking curves were measured.",
    "tiers": "No values by exposure, tier or category.",
    "trajectory": "The study has no training trajectory.",
    "efficiency": "No model knows a concept well enough",
}


def texts(path):
    return [
        "".join(node.itertext()).strip()
        for node in ElementTree.parse(path).getroot().iter(f"{SVG}text")
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_svg_has_the_words_it_should(name, root):
    found = "\n".join(texts(StudyFiles(root).figure(f"{name}.svg")))
    for word in EXPECTED[name]:
        assert word in found


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_every_model_is_named_and_no_checkpoint(name, root, drawn):
    found = texts(StudyFiles(root).figure(f"{name}.svg"))
    assert set(drawn.final["model"]) <= set(found)
    assert not any("-step" in text for text in found)


def test_efficiency_names_every_model_that_knows_a_concept(root, drawn):
    found = set(texts(StudyFiles(root).figure("efficiency.svg")))
    knows = drawn.final["n_known"] > 0
    assert set(drawn.final.loc[knows, "model"]) <= found


def test_masking_curves_show_the_weakest_and_the_strongest(root, drawn):
    found = texts(StudyFiles(root).figure("masking_curves.svg"))
    assert {drawn.final["model"].iloc[0], drawn.final["model"].iloc[-1]} <= set(found)


@pytest.mark.parametrize("name", ["pss_accuracy", "specificity", "vectors"])
def test_the_same_tables_give_the_same_bytes(name, root, drawn, tmp_path):
    again = write_figure(name, drawn, tmp_path)
    for path in again:
        assert path.read_bytes() == StudyFiles(root).figure(path.name).read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_files_carry_no_date(name, root):
    svg = StudyFiles(root).figure(f"{name}.svg").read_text()
    png = StudyFiles(root).figure(f"{name}.png").read_bytes()
    assert "dc:date" not in svg
    assert b"Software" not in png


def words(name, tables):
    """Text of a figure that was laid out but not saved."""
    with house_style():
        figure = FIGURES[name].draw(tables)
        figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("name", FIGURES)
def test_empty_tables_become_a_sentence(name, drawn):
    empty = StudyTables(
        **{f.name: getattr(drawn, f.name).iloc[:0] for f in fields(StudyTables)}
    )
    assert EMPTY[name] in words(name, empty)
    assert FIGURES[name].caption(empty)


@pytest.mark.parametrize("name", FIGURES)
def test_undefined_numbers_leave_no_panel_empty(name, drawn):
    undefined = _undefined(drawn)
    assert "no " in words(name, undefined).lower()
    assert FIGURES[name].caption(undefined)


def _undefined(drawn):
    """All estimates NaN; names, ratios and steps as they were."""
    kept = ("ratio", "primary_ratio", "chance", "steps", "seed", "trajectory_step")
    frames = {}
    for field in fields(StudyTables):
        frame = getattr(drawn, field.name).copy()
        for column in frame.select_dtypes("float64"):
            if column not in kept:
                frame[column] = np.nan
        frames[field.name] = frame
    return StudyTables(**frames)


def test_a_model_without_a_value_is_named_as_such(drawn, tmp_path):
    models = drawn.models.copy()
    models.loc[models["model"] == "gpt2-32", ["pss", "pss_low", "pss_high"]] = np.nan
    svg, _ = write_figure("pss_accuracy", replace(drawn, models=models), tmp_path)
    assert "No value: gpt2-32" in texts(svg)


@pytest.mark.parametrize("name", FIGURES)
def test_one_model_alone_is_drawn(name, drawn):
    models = drawn.models[drawn.models["model"] == "gpt2-32"]
    assert words(name, replace(drawn, models=models))


def test_span_takes_both_ends(drawn):
    names = span(drawn.final, 3)
    assert names[0] == drawn.final["model"].iloc[0]
    assert names[-1] == drawn.final["model"].iloc[-1]
    assert len(set(names)) == 3


def test_marks_tell_their_names(root, drawn):
    """In the order of their points, so that a name stands on its own mark."""
    tree = ElementTree.parse(StudyFiles(root).figure("pss_accuracy.svg"))
    marks = [g for g in tree.iter(f"{SVG}g") if g.get("class") == "tip"]
    found = {}
    for mark in marks[: len(drawn.final)]:
        use = mark.find(f".//{SVG}use")
        found[mark.find(f"{SVG}title").text.split(":")[0]] = float(use.get("x"))
    assert sorted(found, key=found.get) == list(drawn.final["model"])


def test_specificity_reads_rows_as_questions_and_columns_as_masks():
    """A concept hurt by its own mask alone darkens one cell of the diagonal."""
    cross = pd.DataFrame(
        [
            ("m", asked, "xy"[asked > "b"], masked, 10, drop)
            for asked, masked, drop in [
                *(("a", "a", 0.5), ("a", "b", 0.1), ("a", "c", 0.0)),
                *(("b", "a", 0.2), ("b", "b", 0.4), ("b", "c", 0.0)),
                *(("c", "a", 0.3), ("c", "b", 0.1), ("c", "c", 0.6)),
            ]
        ],
        columns=["model", "concept", "category", "donor", "n_items", "drop"],
    )
    drops = specificity._matrix(cross)
    categories = specificity._categories(cross)
    assert drops.loc["c", "a"] == 0.3
    means = specificity.block_means(drops, categories)
    assert means.loc["x", "x"] == pytest.approx((0.1 + 0.2) / 2)
    assert means.loc["y", "x"] == pytest.approx((0.3 + 0.1) / 2)
    assert np.isnan(means.loc["y", "y"])
    kinds = specificity.pair_kinds(drops, categories)
    assert kinds.tolist() == [[0, 1, 2], [1, 0, 2], [2, 2, 0]]


def test_layers_share_is_weighted_by_what_reaches_the_stream():
    rows = pd.DataFrame(
        {
            "concept": ["a", "a", "a", "b"],
            "layer": [0, 0, 1, 1],
            "related": [0.5, 0.2, 0.4, 1.0],
            "unrelated": [0.1, 0.3, 0.2, 0.5],
            "norm": [1.0, 9.0, 4.0, 1.0],
        }
    )
    shares = vectors.layer_shares(rows)
    assert shares.loc["a"].tolist() == pytest.approx([0.4 / 1.2, 0.8 / 1.2])
    assert shares.loc["b"].tolist() == [0, 1]


def test_vectors_stand_by_the_category_that_they_serve():
    rows = pd.DataFrame(
        [("a", "x", 7), ("a", "x", 3), ("b", "x", 3), ("c", "y", 5), ("c", "y", 7)],
        columns=["concept", "category", "vector"],
    ).assign(category=lambda frame: frame["category"])
    cells = vectors.sorted_matrix(rows, ["a", "b", "c"], ["x", "y"])
    assert cells.tolist() == [[1, 1, 0], [1, 0, 0], [0, 2, 2]]


def test_a_trajectory_begins_with_the_untrained_model(drawn):
    steps = drawn.trajectory.assign(step=[0, 50, 200, 1000][: len(drawn.trajectory)])
    tables = replace(drawn, trajectory=steps)
    assert "\n0\n" in words("trajectory", tables)
    assert "untrained" in FIGURES["trajectory"].caption(tables)
    assert "untrained" not in FIGURES["trajectory"].caption(drawn)


def test_arms_show_their_seeds_and_say_which_failed(drawn):
    rows = drawn.causal.copy()
    failed = rows["arm"] == "RV"
    ends = ["value", "value_low", "value_high"]
    rows.loc[failed, ends] = np.nan
    tables = replace(drawn, causal=rows)
    found = words("arms", tables)
    assert found.count("no value") == 5
    with house_style():
        panel = FIGURES["arms"].draw(tables).axes[4]
    ticks = [line for line in panel.lines if line.get_marker() == "|"]
    known = rows[(rows["metric"] == "lid") & (rows["seed"] != "all")]["value"].dropna()
    told = np.concatenate([np.asarray(line.get_xdata(), float) for line in ticks])
    assert sorted(told[np.isfinite(told)]) == pytest.approx(sorted(known))


def test_each_fine_tuned_model_has_its_own_panels(drawn):
    both = pd.concat([drawn.causal, drawn.causal.assign(model="another")])
    assert "another" in words("arms", replace(drawn, causal=both))

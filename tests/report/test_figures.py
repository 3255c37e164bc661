"""Figures hold what they should, in the same bytes, and survive missing data."""

import xml.etree.ElementTree as ElementTree
from dataclasses import fields, replace

import numpy as np
import pytest

from paraspec.core.layout import StudyFiles
from paraspec.report.figures import FIGURES, write_figure
from paraspec.report.inputs import StudyTables, span

SVG = "{http://www.w3.org/2000/svg}"
EVERY_MODEL = ("pss_accuracy", "controls")

EXPECTED = {
    "pss_accuracy": ("PSS", "Signed effect, floor-corrected", "Pearson r", "llama"),
    "controls": ("mean of models", "random vectors", "swap"),
    "masking_curves": ("own questions, top vectors", "chance", "50 %"),
    "tiers": ("exposure", "tier", "category", "highest minus lowest:"),
    "trajectory": ("Accuracy before masking", "PSS", "training step"),
    "efficiency": ("Knock-out", "Keep only", "Margin left, random vectors"),
}
EMPTY = {
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


@pytest.mark.parametrize("name", FIGURES)
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


@pytest.mark.parametrize("name", FIGURES)
def test_empty_tables_become_a_sentence(name, drawn, tmp_path):
    empty = StudyTables(
        **{f.name: getattr(drawn, f.name).iloc[:0] for f in fields(StudyTables)}
    )
    svg, _ = write_figure(name, empty, tmp_path)
    assert EMPTY[name] in "\n".join(texts(svg))
    assert FIGURES[name].caption(empty)


@pytest.mark.parametrize("name", FIGURES)
def test_undefined_numbers_leave_no_panel_empty(name, drawn, tmp_path):
    svg, png = write_figure(name, _undefined(drawn), tmp_path)
    words = "\n".join(texts(svg))
    assert "No " in words or "no " in words
    assert png.stat().st_size > 0
    assert FIGURES[name].caption(_undefined(drawn))


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


def test_one_model_alone_is_drawn(drawn, tmp_path):
    models = drawn.models[drawn.models["model"] == "gpt2-32"]
    alone = replace(drawn, models=models)
    for name in FIGURES:
        svg, _ = write_figure(name, alone, tmp_path)
        assert texts(svg)


def test_span_takes_both_ends(drawn):
    names = span(drawn.final, 3)
    assert names[0] == drawn.final["model"].iloc[0]
    assert names[-1] == drawn.final["model"].iloc[-1]
    assert len(set(names)) == 3

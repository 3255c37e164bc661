"""Bad configurations: one message with file, key, fault and remedy."""

import pytest
import yaml
from tests.core.model_tables import row, table

from paraspec.core.config import (
    check_study,
    parse_study,
    read_study,
)
from paraspec.core.errors import UserError
from paraspec.core.model_table import checkpoint_name, read_models

GOOD = {
    "study": "s",
    "models": "config/models/s.tsv",
    "measure": {
        "ratios": [0, 0.05, 0.1, 0.5],
        "general_ratios": [0, 0.05, 0.1],
        "keep_ratios": [0.5],
    },
}


def study(**changes):
    values = yaml.safe_load(yaml.safe_dump(GOOD))
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            values.setdefault(section, {})[name] = value
        else:
            values[section] = value
    return values


def test_a_good_study_has_its_defaults():
    config = parse_study(GOOD, "f")
    assert config.seed == 0
    assert config.concepts.per_cell == 9
    assert config.zoo.exposures == (8, 2, 1)
    assert config.measure.ratios == (0, 0.05, 0.1, 0.5)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sead": 1}, "sead: Extra inputs are not permitted"),
        ({"measure__ratio": [1]}, "measure.ratio: Extra inputs"),
        ({"seed": "one"}, "seed: Input should be a valid integer"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0 (got -1)"),
        ({"concepts": 3}, "concepts: Input should be"),
        ({"concepts": None}, "concepts: Input should be"),
        ({"concepts__per_cell": 1.5}, "concepts.per_cell: "),
        ({"concepts__sha256": "abc"}, "concepts.sha256: String should match"),
        ({"study": "../x"}, "study: String should match"),
        ({"study": "a b"}, "study: String should match"),
        ({"study": "a;b"}, "study: String should match"),
        ({"study": "a\n"}, "study: String should match"),
        ({"measure__ratios": []}, "measure.ratios: "),
        ({"measure__ratios": [0, 1.5]}, "measure.ratios.1: Input should be less than"),
        ({"measure__ratios": [-0.1, 0.1]}, "measure.ratios.0: Input should be greater"),
        ({"measure__ratios": [0, float("nan")]}, "measure.ratios.1: "),
        ({"measure__ratios": [0.5, 0, 0.1]}, "measure.ratios: must be ascending"),
        ({"measure__ratios": [0, 0.1, 0.1]}, "measure.ratios: must be ascending"),
        ({"measure__general_ratios": [0, 0.2]}, "[0.2] are not among ratios"),
        ({"measure__general_ratios": [0, 0.1]}, "pre-registered mask ratio 0.05"),
        ({"measure__random_draws": 0}, "measure.random_draws: "),
        ({"measure__checkpoint_ratios": [0.1]}, "pre-registered mask ratio 0.05"),
        ({"measure__controls": {"masks": ["swop"]}}, "measure.controls.masks.0: "),
        ({"measure__controls": {"selectors": ["best"]}}, "selectors.0: "),
        ({"measure__controls": {"draws": 0}}, "measure.controls.draws: "),
        ({"plant": {"concepts": 0}}, "plant.concepts: "),
        ({"zoo__exposures": []}, "zoo.exposures: "),
        ({"zoo__exposures": [8, 0]}, "zoo.exposures.1: "),
        ({"zoo__trajectory_model": "m"}, "zoo: trajectory_model and trajectory_steps"),
        ({"zoo__trajectory_steps": [1]}, "zoo: trajectory_model and trajectory_steps"),
        ({"zoo__trajectory_steps": [2, 1]}, "must be ascending"),
        ({"stats__draws": 99}, "stats.draws: "),
    ],
)
def test_a_faulty_study_is_refused(changes, fault):
    with pytest.raises(UserError) as error:
        parse_study(study(**changes), "config/s.yaml")
    assert error.value.where == "config/s.yaml"
    assert fault in error.value.fault
    assert "config/README.md" in error.value.remedy
    assert "\n" not in str(error.value)


def test_every_fault_stands_in_one_message():
    with pytest.raises(UserError) as error:
        parse_study(study(seed=-1, sead=2, measure__ratios=[2]), "f")
    for place in ("seed", "sead", "measure.ratios.0"):
        assert f"{place}: " in error.value.fault


def test_a_missing_section_is_named():
    with pytest.raises(UserError, match="measure: Field required"):
        parse_study({"study": "s", "models": "m"}, "f")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1", "not YAML"),
        ("", "holds no keys"),
        ("- 1", "holds no keys"),
        ("1: 2", "Field required"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(text, fault, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=fault) as error:
        read_study(path)
    assert error.value.where == str(path)
    assert "\n" not in str(error.value)


def test_missing_files_are_named(tmp_path):
    for read in (read_study, read_models):
        with pytest.raises(UserError, match="no such file"):
            read(tmp_path / "none")


def test_the_repository_s_own_studies_are_valid():
    from pathlib import Path

    root = Path(__file__).parents[2]
    for path in sorted((root / "config").glob("*.yaml")):
        if "models" not in (yaml.safe_load(path.read_text()) or {}):
            continue
        config = read_study(path)
        check_study(config, read_models(root / config.models))


def traced(model, steps):
    return parse_study(
        study(zoo__trajectory_model=model, zoo__trajectory_steps=steps), "f"
    )


def test_trajectories_are_checked_against_the_table(tmp_path):
    rows = read_models(table(tmp_path, row(), row(model="x", source="some/folder")))
    check_study(parse_study(GOOD, "f"), rows)
    check_study(traced("llama-64", [50, 200]), rows)
    for model in ("llama-65", "x"):
        with pytest.raises(UserError, match="not a zoo model") as error:
            check_study(traced(model, [50]), rows)
        assert error.value.remedy == "Choose one of llama-64"
    check_study(traced("llama-64", [0, 50]), rows)
    for steps in ([-1, 50], [50, 201]):
        with pytest.raises(UserError, match="lie outside llama-64's training") as error:
            check_study(traced("llama-64", steps), rows)
        assert "0 (untrained) to 200" in error.value.remedy


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"measure__controls": {"models": ["llama-6"]}}, "models names 'llama-6'"),
        ({"plant": {"model": "lama"}}, "plant.model names 'lama'"),
        ({"plant": {"model": "x"}}, "plant.model 'x' is not trained by the study"),
        ({"measure__controls": {"cross_model": "x"}}, "'x' gets no controls"),
    ],
)
def test_models_of_controls_and_planted_facts_are_checked(changes, fault, tmp_path):
    rows = read_models(table(tmp_path, row(), row(model="x", source="some/folder")))
    good = {"models": ["llama-64", "x"], "cross_model": "x"}
    check_study(parse_study(study(measure__controls=good), "f"), rows)
    with pytest.raises(UserError) as error:
        check_study(parse_study(study(**changes), "f"), rows)
    assert fault in error.value.fault and "\n" not in str(error.value)


def test_a_model_must_not_have_a_checkpoint_s_name(tmp_path):
    name = checkpoint_name("llama-64", 50)
    rows = read_models(table(tmp_path, row(), row(model=name)))
    with pytest.raises(UserError, match=name):
        check_study(traced("llama-64", [50, 200]), rows)

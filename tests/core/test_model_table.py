"""Bad model tables: one message with file, row, column, fault and remedy."""

import pytest
from tests.core.model_tables import COLUMNS, PUBLISHED, published, row, table

from paraspec.core.errors import UserError
from paraspec.core.model_table import read_models, row_of


def test_a_good_table_is_read_with_comments_and_blank_lines(tmp_path):
    path = table(tmp_path, row(), row(model="b", seed=1))
    path.write_text("# zoo\n\n" + path.read_text() + "# end\n")
    found = read_models(path)
    assert [r.model for r in found] == ["llama-64", "b"]
    assert found[1].seed == 1
    assert found[0].dtype == "float32"


BAD_NAMES = ["../x", "a b", "a;b", "a/b", "$HOME", "a|b", ".hidden", "-flag", "a" * 81]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_unsafe_names_are_refused(name, tmp_path):
    with pytest.raises(UserError) as error:
        read_models(table(tmp_path, row(), row(model=name)))
    assert "row 2" in error.value.fault
    assert "model: String should match pattern" in error.value.fault
    assert "letters, digits" in error.value.remedy


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"d_model": "wide"}, "d_model: Input should be a valid integer"),
        ({"d_model": 6, "n_heads": 4}, "does not divide into 4 heads"),
        ({"d_model": 12, "n_heads": 4}, "heads of even width"),
        ({"steps": 0}, "needs steps of at least 1"),
        ({"steps": -5}, "steps: Input should be greater"),
        ({"learning_rate": 0}, "learning_rate: Input should be greater than 0"),
        ({"learning_rate": "nan"}, "learning_rate: "),
        ({"learning_rate": "inf"}, "learning_rate: "),
        ({"data_share": 1.5}, "data_share: Input should be less than"),
        ({"data_share": 0}, "data_share: Input should be greater than 0"),
        ({"architecture": "rnn"}, "architecture: Input should be 'llama'"),
        ({"architecture": "-"}, "needs an architecture"),
        ({"architecture": "mixtral"}, "n_experts"),
        ({"architecture": "mixtral", "n_experts": 1}, "n_experts"),
        ({"n_experts": 4}, "n_experts"),
        ({"family": "a b"}, "family: String should match"),
        ({"model": ""}, "model: Field required"),
        ({"source": ""}, "source: Field required"),
    ],
)
def test_faulty_rows_are_named_by_file_row_and_column(changes, fault, tmp_path):
    path = table(tmp_path, row(model="fine"), row(**changes))
    with pytest.raises(UserError) as error:
        read_models(path)
    assert error.value.where == str(path)
    assert error.value.fault.startswith("row 2 (")
    assert fault in error.value.fault
    assert "config/README.md" in error.value.remedy


def test_an_unknown_column_is_named(tmp_path):
    path = table(tmp_path, [*row(), "1"], header=[*COLUMNS, "depth"])
    with pytest.raises(UserError, match="depth: Extra inputs are not permitted"):
        read_models(path)


@pytest.mark.parametrize("cells", [row()[:-1], [*row(), "extra"]])
def test_rows_with_another_number_of_cells_than_the_header(cells, tmp_path):
    with pytest.raises(UserError, match="row 1: has not as many cells as the header"):
        read_models(table(tmp_path, cells))


def test_names_that_stand_twice(tmp_path):
    with pytest.raises(UserError, match="model 'llama-64' stands twice"):
        read_models(table(tmp_path, row(), row(seed=1)))


def test_a_table_without_models(tmp_path):
    with pytest.raises(UserError, match="holds no models"):
        read_models(table(tmp_path))


def read(tmp_path, *rows):
    return read_models(table(tmp_path, *rows, header=PUBLISHED))


def test_a_published_model_has_its_repository_and_its_facts(tmp_path):
    (found,) = read(
        tmp_path, published(mmlu="58.5", mmlu_source="its card", released="2024-02-04")
    )
    assert found.repository == "owner/name"
    assert (found.parameters, found.mmlu) == (7e9, 58.5)
    assert found.released.isoformat() == "2024-02-04"
    assert not found.remote_code and not found.named_by_paper


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"source": "hub:"}, "holds no repository id like hub:owner/name"),
        ({"source": "hub:name"}, "holds no repository id"),
        ({"source": "hub:a/b/c"}, "holds no repository id"),
        ({"source": "hub:a/../b"}, "holds no repository id"),
        ({"source": "hub:a/b;c"}, "holds no repository id"),
        ({"revision": ""}, "revision is needed: a branch"),
        ({"source": "a/folder"}, "revision is for sources that start with hub:"),
        ({"parameters": "0"}, "parameters: Input should be greater than 0"),
        ({"parameters": "7B"}, "parameters: Input should be a valid number"),
        ({"released": "spring 2024"}, "released: Input should be a valid date"),
        ({"mmlu": "0.6x"}, "mmlu: Input should be a valid number"),
        ({"mmlu": "101", "mmlu_source": "s"}, "mmlu: Input should be less than"),
        ({"mmlu": "60"}, "mmlu and mmlu_source go together"),
        ({"mmlu_source": "a card"}, "mmlu and mmlu_source go together"),
        ({"remote_code": "perhaps"}, "remote_code: Input should be a valid boolean"),
        ({"trajectory_of": "run"}, "trajectory_of and trajectory_step go together"),
        ({"trajectory_step": "5"}, "trajectory_of and trajectory_step go together"),
        ({"trajectory_of": "a b", "trajectory_step": "5"}, "trajectory_of: String"),
    ],
)
def test_faulty_published_rows_are_named(changes, fault, tmp_path):
    with pytest.raises(UserError) as error:
        read(tmp_path, published(model="fine"), published(**changes))
    assert error.value.fault.startswith("row 2 (")
    assert fault in error.value.fault
    assert "\n" not in str(error.value)


def test_the_zoo_takes_no_code_and_no_published_place(tmp_path):
    header = [*COLUMNS, "remote_code", "trajectory_of", "trajectory_step"]
    for cells, fault in (
        (["true", "", ""], "remote_code is for published models"),
        (["false", "run", "5"], "zoo.trajectory_steps"),
    ):
        with pytest.raises(UserError, match=fault):
            read_models(table(tmp_path, [*row(), *cells], header=header))


def checkpoint(step, **changes):
    name = f"run-step{step}"
    values = {"model": name, "trajectory_of": "run", "trajectory_step": step}
    return published(**values | changes)


def test_checkpoints_of_a_run_are_checked_together(tmp_path):
    assert len(read(tmp_path, checkpoint(10), checkpoint(20))) == 2
    whole = published(model="run", steps=30)
    assert len(read(tmp_path, checkpoint(10), checkpoint(20), whole)) == 3
    for rows, fault in (
        ([checkpoint(10), checkpoint(10, model="x")], "two checkpoints of step 10"),
        ([checkpoint(10), published(model="run")], "its steps must say how many"),
        ([checkpoint(40), whole], "more than its checkpoints"),
        (
            [checkpoint(10), checkpoint(5, model="run", trajectory_of="other")],
            "'run' is no published, final model",
        ),
    ):
        with pytest.raises(UserError, match=fault):
            read(tmp_path, *rows)


def test_a_model_s_recipe_leaves_out_what_only_describes_it(tmp_path):
    def recipe(**changes):
        return read(tmp_path, published(**changes))[0].recipe

    plain = recipe()
    about = {"mmlu": "60", "mmlu_source": "card", "released": "2024-01-01"}
    assert recipe(**about, parameters="3e9", dtype="float16") == plain
    for changes in ({"revision": "v2"}, {"remote_code": "true"}, {"family": "g"}):
        assert recipe(**changes) != plain


def test_a_model_is_found_by_name_or_the_names_are_told(tmp_path):
    path = table(tmp_path, row(), row(model="b"))
    assert row_of(path, "b").model == "b"
    with pytest.raises(UserError, match="no model 'c'") as error:
        row_of(path, "c")
    assert error.value.remedy == "Choose one of llama-64, b"


INDUCED = [*COLUMNS, "mechanism", "strength", "baseline"]


def plain(**changes):
    return [*row(**changes), "", "0", ""]


def routed(mechanism="routing", strength="0.5", baseline="llama-64", **changes):
    values = {"model": "routed"} | changes
    return [*row(**values), mechanism, strength, baseline]


def test_a_model_of_a_mechanism_has_a_plain_baseline(tmp_path):
    rows = (plain(), routed(), plain(model="b", seed=1), routed(model="c", seed=1))
    rows[3][-1] = "b"
    found = read_models(table(tmp_path, *rows, header=INDUCED))
    assert [r.mechanism for r in found] == ["", "routing", "", "routing"]
    assert found[1].strength == 0.5
    without = read_models(table(tmp_path, row()))[0]
    assert without.recipe == found[0].recipe
    assert len({r.recipe for r in found}) == 4


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"strength": "0"}, "go together"),
        ({"mechanism": ""}, "go together"),
        ({"baseline": ""}, "go together"),
        ({"strength": "1.5"}, "strength: Input should be less than or equal to 1"),
        ({"mechanism": "noise"}, "mechanism: Input should be"),
        ({"architecture": "mixtral", "n_experts": 4}, "for dense models"),
        ({"d_ff": 100}, "does not divide into 16 blocks"),
        ({"mechanism": "dropout", "strength": "1"}, "leaves no coefficient"),
        ({"source": "a/folder", "architecture": "-"}, "models that the study trains"),
        ({"baseline": "nobody"}, "'nobody' of 'routed' is no plain model"),
        ({"baseline": "routed"}, "'routed' of 'routed' is no plain model"),
        ({"steps": 100, "seed": 3}, "differ in steps, seed: only the mechanism may"),
    ],
)
def test_faulty_mechanisms_are_named(changes, fault, tmp_path):
    path = table(tmp_path, plain(), routed(**changes), header=INDUCED)
    with pytest.raises(UserError, match=fault):
        read_models(path)


def test_mechanisms_act_on_one_recipe(tmp_path):
    other = plain(model="b", steps=100)
    rows = (plain(), routed(), other, routed(model="c", steps=100, baseline="b"))
    with pytest.raises(UserError, match="one recipe for all"):
        read_models(table(tmp_path, *rows, header=INDUCED))

"""What counts as a step's code and libraries."""

import shutil

import pytest

from paraspec.core import closure
from paraspec.report.catalogue import CATALOGUE, module_of

PSS = ("paraspec.cli.stats", "pss")
TRAIN = ("paraspec.cli.zoo", "train")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that may be edited."""
    copy = tmp_path / "paraspec"
    shutil.copytree(closure.PACKAGE, copy)
    monkeypatch.setattr(closure, "PACKAGE", copy)
    forget()
    yield copy
    forget()


def forget():
    closure._source.cache_clear()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    forget()


def test_statistics_never_reach_models_and_training_never_reaches_statistics():
    assert "paraspec.stats.pss" in closure.closure(*PSS)
    assert not any("paraspec.models" in name for name in closure.closure(*PSS))
    assert "paraspec.models.train" in closure.closure(*TRAIN)
    assert not any("paraspec.stats" in name for name in closure.closure(*TRAIN))
    assert not any("paraspec.measure" in name for name in closure.closure(*TRAIN))


def test_a_new_command_or_table_of_another_room_reruns_nothing(package):
    before = closure.code_hash(*PSS), closure.code_hash(*TRAIN)
    edit(package / "cli/main.py", '"measure": "measure_one"', '"new": "measure_one"')
    for other in ("stats/run.py", "report/page.py"):
        text = (package / other).read_text()
        (package / other).write_text(text + "\nNEW_RESULT = 1\n")
    forget()
    assert (closure.code_hash(*PSS), closure.code_hash(*TRAIN)) == before


def test_extraction_does_not_depend_on_scoring():
    found = closure.closure("paraspec.cli.measure", "extract")
    assert "paraspec.measure.extract" in found
    assert not {f"paraspec.measure.{name}" for name in ("score", "store")} & found


def test_an_edit_changes_the_hash_of_just_the_steps_that_use_it(package):
    before = closure.code_hash(*PSS), closure.code_hash(*TRAIN)
    edit(package / "models/train.py", "WARM_UP_STEPS = 50", "WARM_UP_STEPS = 51")
    assert closure.code_hash(*PSS) == before[0]
    assert closure.code_hash(*TRAIN) != before[1]


def test_comments_docstrings_and_layout_change_no_hash(package):
    before = closure.code_hash(*TRAIN)
    train = package / "models/train.py"
    edit(train, "WARM_UP_STEPS = 50", "# a comment\n\nWARM_UP_STEPS  =  50  # another")
    edit(train, '"""Train in place', '"""Otherwise worded: train in place')
    assert closure.code_hash(*TRAIN) == before


def test_another_command_of_the_same_module_is_not_counted(package):
    before = closure.code_hash(*TRAIN)
    edit(package / "cli/zoo.py", "trained.get_vocab_size()", "len(corpus)")
    assert closure.code_hash(*TRAIN) == before
    assert closure.code_hash("paraspec.cli.zoo", "tokenizer") != before


def test_a_library_counts_only_for_steps_that_import_it(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("torch==2.13.0\npandas==3.1.1\npytest==9.0\nPyYAML==6.0\n")
    before = [closure.environment_hash(*step, lock) for step in (PSS, TRAIN)]
    lock.write_text("torch==2.14.0\npandas==3.1.1\npytest==9.1\nPyYAML==6.0\n")
    after = [closure.environment_hash(*step, lock) for step in (PSS, TRAIN)]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_lock_names_are_compared_as_pip_does(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("# comment\nPyYAML==6.0\njaxtyping==0.3\nruamel_yaml==1\n")
    assert closure.locked_versions(lock) == {
        "pyyaml": "6.0",
        "jaxtyping": "0.3",
        "ruamel-yaml": "1",
    }


FIGURES = ("paraspec.cli.report", "figures")


def drawn():
    """Hash of every figure's code."""
    return {name: closure.code_hash(*FIGURES, module_of(name)) for name in CATALOGUE}


def test_an_edited_figure_changes_its_own_hash_alone_and_the_style_all(package):
    before = drawn()
    edit(package / "report/figures/sizes.py", "NEAR, STEP = 0.35", "NEAR, STEP = 0.36")
    changed = {name for name, code in drawn().items() if code != before[name]}
    assert changed == {"sizes"}
    edit(package / "report/style.py", 'MUTED = "#5f6670"', 'MUTED = "#5f6671"')
    assert not set(drawn().values()) & set(before.values())


def test_a_figure_counts_what_its_own_module_imports_and_no_other_figure():
    for name in CATALOGUE:
        found = closure.closure(*FIGURES, module_of(name))
        figures = {each for each in CATALOGUE if module_of(each) in found}
        assert figures == {name}
        assert {"paraspec.report.style", "paraspec.report.inputs"} <= found


def test_parts_name_the_module_that_was_edited(package):
    before = closure.code_parts(*TRAIN)
    assert "paraspec.cli.zoo.train" in before
    edit(package / "models/train.py", "WARM_UP_STEPS = 50", "WARM_UP_STEPS = 51")
    after = closure.code_parts(*TRAIN)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"paraspec.models.train"}

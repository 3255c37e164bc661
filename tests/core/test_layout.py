from pathlib import Path

from paraspec.core.layout import StudyFiles


def test_paths_of_a_study_are_those_that_the_rules_spell_out():
    files = StudyFiles(Path("results/s"))
    found = [
        files.data("sets.parquet"),
        files.model("m"),
        files.model("m", "model.json"),
        files.measure("m", "items.parquet"),
        files.causal("m", "arms.csv"),
        files.table("claims.csv"),
        files.figure("curves.svg"),
    ]
    assert [str(path) for path in found] == [
        "results/s/data/sets.parquet",
        "results/s/models/m",
        "results/s/models/m/model.json",
        "results/s/measure/m/items.parquet",
        "results/s/causal/m/arms.csv",
        "results/s/tables/claims.csv",
        "results/s/figures/curves.svg",
    ]

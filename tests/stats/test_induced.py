"""Dose and response: slopes by another way, what enters them, and what they leave."""

from dataclasses import replace

import numpy as np
import pytest
from tests.judged import judged_tables
from tests.synthetic import Fake, concepts_table, induced_zoo, items_table, zoo
from tests.synthetic_study import write_study

from paraspec.core.layout import StudyFiles
from paraspec.core.table import checked, read_table
from paraspec.core.tables.induced import INDUCED
from paraspec.core.tables.measured import ITEMS
from paraspec.stats.induced import (
    NO_BITS,
    NO_MODELS,
    NO_SEEDS,
    Dose,
    bits,
    induced_estimates,
    induced_records,
)
from paraspec.stats.induced_answers import bits_stored, certainty
from paraspec.stats.run import read_study

pytestmark = pytest.mark.xdist_group("induced")  # one worker writes the study

DRAWS = 300
N_CONCEPTS = 18
OTHERS = zoo()[:4]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Models of mechanisms, their baselines, and other models beside them."""
    folder = tmp_path_factory.mktemp("induced")
    write_study(folder, [*induced_zoo(), *OTHERS], N_CONCEPTS, DRAWS)
    return folder


@pytest.fixture(scope="module")
def study(root):
    names = sorted(path.name for path in (root / "models").iterdir())
    return read_study(root, names, DRAWS, seed=0)


@pytest.fixture(scope="module")
def found(study):
    return judged_tables(study)


@pytest.fixture(scope="module")
def estimates(study):
    return induced_estimates(study).frame.set_index("id")


def test_models_of_a_mechanism_stand_beside_their_baselines(found):
    table = checked(found["induced"], INDUCED)
    assert len(table) == 15
    cells = table.groupby(["mechanism", "strength"]).size()
    assert set(cells) == {3}
    assert set(table["mechanism"]) == {"", "routing", "dropout"}
    assert not set(table["model"]) & {fake.model for fake in OTHERS}
    assert (table["reason"] == "").all()
    by_tier = [table[f"accuracy_tier_{tier}"] for tier in ("high", "mid", "low")]
    assert np.mean(by_tier, axis=0) == pytest.approx(table["accuracy"])


def test_a_mechanism_enters_no_statistic_across_models(root, found):
    names = [fake.model for fake in (*induced_zoo(), *OTHERS) if not fake.mechanism]
    without = judged_tables(read_study(root, sorted(names), DRAWS, seed=0))
    models = found["models"].set_index("model")
    assert not models.loc[models["mechanism"] != "", "in_primary"].any()
    assert models.loc[models["mechanism"] == "", "in_primary"].all()
    assert (models["strength"] > 0).equals(models["mechanism"] != "")
    for name in ("correlations", "sizes"):
        assert found[name].equals(without[name]), name
    for name, key in (("estimates", "id"), ("claims", "id")):
        # Holm's correction counts the claim on such models as well.
        both = [
            tables[name].set_index(key).drop(columns="p_holm", errors="ignore")
            for tables in (found, without)
        ]
        rest = [i for i in both[0].index if not i.startswith("induced")]
        assert both[0].loc[rest].equals(both[1].loc[rest]), name
    shared = "n_known_shared"
    assert set(found["models"][shared]) == set(without["models"][shared])


def test_the_slope_is_that_of_disjoint_halves(root, estimates):
    slopes = []
    for a, b in ("AB", "BA"):
        x, y = [], []
        for fake in induced_zoo():
            path = StudyFiles(root).measure(fake.model, "items.parquet")
            items = read_table(path, ITEMS)
            items = items[items["kinship"] != "other-category"]
            plain = items[items["mask"] == "none"]
            top = items[(items["mask"] == "top") & (items["ratio"] == 0.1)]
            top = top[top["ablation"] == "zero"]
            half = [rows[rows["half"] == a] for rows in (plain, top)]
            own = [rows.loc[rows["set"] == "concept", "correct"] for rows in half]
            general = [rows.loc[rows["set"] == "general", "correct"] for rows in half]
            drop = own[0].mean() - own[1].mean()
            x.append(drop - (general[0].mean() - general[1].mean()))
            right = plain[(plain["set"] == "concept") & (plain["half"] == b)]["correct"]
            y.append(right.mean())
        slopes.append(np.polyfit(x, y, 1)[0])
    row = estimates.loc["induced.accuracy.slope"]
    assert row["estimate"] == pytest.approx(np.mean(slopes))
    assert row["n"] == 15
    assert row["estimate_low"] < row["estimate"] < row["estimate_high"]


def test_each_mechanism_has_a_slope_with_the_plain_models(estimates):
    for name in ("accuracy.slope", "accuracy.slope-known", "bits.slope"):
        for mechanism in ("routing", "dropout"):
            row = estimates.loc[f"induced.{name}.{mechanism}"]
            assert row["n"] == 9
            assert np.isfinite(row["estimate_low"])
    assert estimates.loc["induced.accuracy.slope.routing", "estimate_low"] > 0


def test_mechanisms_are_compared_with_each_other_and_with_none(study, estimates):
    def mean(mechanism, of):
        records = [r for r in induced_records(study) if r.card.mechanism == mechanism]
        return np.mean([of(r)[0] for r in records])

    def signed(record):
        return study.effects(record, "top").signed

    for name, of in (("signed", signed), ("accuracy", study.accuracy)):
        for first, second in (("routing", "dropout"), ("routing", ""), ("dropout", "")):
            row = estimates.loc[f"induced.{name}.{first}-minus-{second or 'plain'}"]
            expected = mean(first, of) - mean(second, of)
            assert row["estimate"] == pytest.approx(expected)
    assert estimates.loc["induced.signed.routing-minus-dropout", "estimate_low"] > 0


def test_models_are_drawn_within_mechanism_and_strength(study):
    dose = Dose(study, induced_records(study))
    cells = [(r.card.mechanism, r.card.strength) for r in dose.records]
    for cell in set(cells):
        members = [i for i, other in enumerate(cells) if other == cell]
        assert (dose.weights[:, members].sum(axis=1) == len(members)).all()
    assert len(np.unique(dose.weights, axis=0)) > DRAWS / 2


def test_the_claim_is_judged_where_there_are_such_models(found, root):
    claims = found["claims"].set_index("id")
    assert claims.loc["induced-specialisation", "verdict"] in ("replicated", "partly")
    names = [fake.model for fake in OTHERS]
    plain = read_study(root, names, DRAWS, seed=0)
    tables = judged_tables(plain)
    assert tables["induced"].empty
    without = tables["claims"].set_index("id").loc["induced-specialisation"]
    assert without["verdict"] == "not testable"
    reasons = induced_estimates(plain).frame["reason"]
    assert set(reasons) == {NO_MODELS}


def test_one_seed_gives_a_slope_without_interval(tmp_path):
    names = write_study(tmp_path, induced_zoo(seeds=1), N_CONCEPTS, 100)
    rows = induced_estimates(read_study(tmp_path, names, 100, 0)).frame.set_index("id")
    row = rows.loc["induced.accuracy.slope"]
    assert np.isfinite(row["estimate"]) and np.isnan(row["estimate_low"])
    assert row["reason"] == NO_SEEDS


def test_two_models_or_equal_ones_have_no_slope(tmp_path):
    plain, routed = induced_zoo()[:2]
    names = write_study(tmp_path / "two", [plain, routed], N_CONCEPTS, 100)
    frame = induced_estimates(read_study(tmp_path / "two", names, 100, 0)).frame
    row = frame.set_index("id").loc["induced.accuracy.slope"]
    assert np.isnan(row["estimate"]) and row["reason"] == "fewer than 3 models"
    unharmed = [replace(f, damage=0.0, collateral=0.0) for f in induced_zoo()]
    names = write_study(tmp_path / "flat", unharmed, N_CONCEPTS, 100)
    frame = induced_estimates(read_study(tmp_path / "flat", names, 100, 0)).frame
    row = frame.set_index("id").loc["induced.accuracy.slope"]
    assert np.isnan(row["estimate"]) and row["reason"] == "no variance"


def items_of(rows):
    """Items of which only what is given differs."""
    fake = Fake("m", "llama", 3000, 0.5, 0.1)
    items = items_table(fake, concepts_table(3))
    plain = items[(items["mask"] == "none") & (items["set"] == "concept")]
    return plain.iloc[: len(rows)].assign(**{k: [r[k] for r in rows] for k in rows[0]})


def test_bits_are_options_told_apart():
    """A sure right answer tells 2 bits of 4 options, a guess none, a sure error -2."""
    sure = {"concept": "a", "half": "A", "gold_logprob": np.log(0.5)}
    guess = {"concept": "a", "half": "B", "gold_logprob": np.log(0.125)}
    wrong = {"concept": "b", "half": "A", "gold_logprob": np.log(0.5 / 16)}
    rows = [row | {"option_mass": 0.5} for row in (sure, guess, wrong)]
    found = bits_stored(items_of(rows))
    assert found.loc["a"].to_list() == pytest.approx([2, 0])
    assert found.loc["b", "A"] == pytest.approx(-2)
    other = items_of([row | {"scorer": "letters"} for row in rows])
    assert bits_stored(other).empty


def test_false_certainty_is_a_wrong_answer_given_for_sure():
    sure_right = {"correct": True, "margin": 3.0, "gold_logprob": np.log(0.475)}
    sure_wrong = {"correct": False, "gold_logprob": np.log(0.005)}
    sure_wrong["margin"] = np.log(0.005 / 0.48)
    unsure = {
        "correct": False,
        "gold_logprob": np.log(0.1),
        "margin": np.log(0.1 / 0.2),
    }
    rows = [row | {"option_mass": 0.5} for row in (sure_right, sure_wrong, unsure)]
    found = certainty(items_of(rows))
    assert found.confidence == pytest.approx((0.95 + 0.96 + 0.4) / 3)
    assert found.hallucination == pytest.approx(1 / 3)
    assert np.isnan(certainty(items_of(rows).iloc[:0]).confidence)


def test_a_concept_that_tells_less_than_a_guess_stores_nothing(study):
    record = induced_records(study)[0]
    concepts = list(study.concepts)
    told = record.bits.copy()
    told.loc[concepts[0]] = -5.0
    changed = replace(record, bits=told)
    lost = record.bits.loc[concepts[0]].sum()
    before, after = (bits(study, r)[0] for r in (record, changed))
    assert before - after == pytest.approx(max(lost, 0))
    halves = [bits(study, record, half)[0] for half in "AB"]
    assert sum(halves) / 2 == pytest.approx(
        record.bits.clip(lower=0).to_numpy().sum(), rel=1e-6
    )


def test_answers_without_probabilities_have_no_bits(study):
    blank = tuple(replace(r, bits=r.bits.iloc[:0]) for r in study.records)
    without = replace(study, records=blank)
    row = induced_estimates(without).frame.set_index("id").loc["induced.bits.slope"]
    assert np.isnan(row["estimate"]) and row["reason"] == NO_BITS

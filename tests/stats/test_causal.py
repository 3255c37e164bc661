"""Arms: each metric by another way, pairing, resampling, failures, and claims."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from tests.stats.conftest import CLAIMS, N_CONCEPTS
from tests.synthetic_arms import FAKES, FakeArm, arm_tables, write_arms

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.table import checked
from paraspec.core.tables.causal import ALL_SEEDS, CAUSAL, CONTRASTS, METRICS
from paraspec.stats.causal import NO_COMMON_SEED, Arms, causal_table, contrasts_table
from paraspec.stats.causal_estimates import CLAIMED, NO_ARMS, causal_estimates
from paraspec.stats.causal_runs import read_tuned, runs_table, tuned_of
from paraspec.stats.claims import read_claims

DRAWS = 400


def compared(tables, draws=DRAWS, seed=0):
    return Arms(tuned_of("m", *tables), draws, seed)


@pytest.fixture(scope="module")
def arms(tuned):
    return Arms(tuned, DRAWS, 0)


@pytest.fixture(scope="module")
def causal(arms):
    return checked(causal_table([arms]), CAUSAL)


@pytest.fixture(scope="module")
def contrasts(arms):
    return checked(contrasts_table([arms]), CONTRASTS)


@pytest.fixture(scope="module")
def by_hand(tables):
    """Every metric of every run from the tables as they are."""
    _, items, answers = tables
    items = items.astype({"concept": "str", "mask": "str", "arm": "str"})
    taught = set(answers["concept"])
    rows = {}
    for (arm, seed), mine in items.groupby(["arm", "seed"]):
        own = mine[mine["set"] == "concept"]
        plain = own[own["mask"] == "none"]
        known = plain["concept"].isin(taught)
        free = answers[(answers["arm"] == arm) & (answers["seed"] == seed)]
        rows[arm, seed] = {
            "accuracy": plain[known & (plain["half"] == "B")]["correct"].mean(),
            "elsewhere": plain[~known]["correct"].mean(),
            **{name: effect(mine, *rule, taught) for name, rule in EFFECTS.items()},
            "free_accuracy": free["contained"].mean(),
            **{name: free[name].mean() for name in FREE},
        }
    frame = pd.DataFrame(rows).T
    frame["forgotten"] = frame.loc[("original", 0), "elsewhere"] - frame["elsewhere"]
    return frame[list(METRICS)]


FREE = ("token_f1", "semantic_entropy", "semantic_entropy_weighted", "lid")
EFFECTS = {
    "pss": ("top", "pss"),
    "signed": ("top", "signed"),
    "signed_fixed": ("top-fixed", "signed"),
}


def effect(rows, mask, quantity, taught):
    """|G1 - S1| / G0 or (S0 - S1) - (G0 - G1) from means of answers."""
    rows = rows[rows["concept"].isin(taught) & (rows["kinship"] != "other-category")]
    means = rows.groupby(["mask", "set"], observed=True)["correct"].mean()
    s0, s1 = (means[m, "concept"] for m in ("none", mask))
    g0, g1 = (means[m, "general"] for m in ("none", mask))
    return abs(g1 - s1) / g0 if quantity == "pss" else (s0 - s1) - (g0 - g1)


def pick(frame, **columns):
    rows = frame
    for name, value in columns.items():
        rows = rows[rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


def test_every_metric_is_that_of_the_tables(causal, by_hand):
    single = causal[causal["seed"] != ALL_SEEDS]
    assert len(single) == len(by_hand) * len(METRICS)
    for row in single.itertuples():
        expected = by_hand.loc[(row.arm, int(row.seed)), row.metric]
        assert row.value == pytest.approx(expected), (row.arm, row.metric)
        assert row.value_low <= row.value <= row.value_high
        assert row.reason == ""


def test_an_arms_value_is_the_mean_over_its_seeds(causal, by_hand):
    pooled = causal[causal["seed"] == ALL_SEEDS]
    for row in pooled.itertuples():
        expected = by_hand.loc[row.arm][row.metric].mean()
        assert row.value == pytest.approx(expected)
        assert row.n_seeds == (1 if row.arm == "original" else 3)
        assert row.n_concepts == (N_CONCEPTS - 6 if row.metric == "forgotten" else 6)


def test_contrasts_are_paired_differences_with_every_other_arm(contrasts, by_hand):
    others = [fake.arm for fake in FAKES if fake.arm != "PV"]
    assert len(contrasts) == len(others) * len(METRICS)
    for row in contrasts.itertuples():
        means = [by_hand.loc[arm][row.metric].mean() for arm in ("PV", row.other)]
        assert row.difference == pytest.approx(means[0] - means[1])
        assert row.n_seeds == 3
    equal = contrasts[contrasts["equal_k"]]["other"]
    assert set(equal) == {"CV-k", "RV", "RV-norm", "matched"}


def test_p_values_are_holms_over_the_contrasts_of_a_metric(contrasts):
    for _, rows in contrasts.groupby("metric"):
        expected = multipletests(rows["p"], method="holm")[1]
        assert rows["p_holm"].to_numpy() == pytest.approx(expected)


def test_p_values_count_draws_beyond_zero(arms):
    found = arms.minus("accuracy", "PV", "matched")
    drawn = found.drawn[1:]
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum()) + 1
    assert found.value.p == pytest.approx(min(1, 2 * tail / (DRAWS + 1)))
    ends = np.quantile(drawn, [0.025, 0.975])
    assert (found.value.low, found.value.high) == pytest.approx(tuple(ends))


def test_intervals_are_those_of_a_plain_loop(tables):
    """Concepts and seeds drawn one by one, for the mean over free answers."""
    _, _, answers = tables
    sums = answers.pivot_table(
        values="lid", index="concept", columns=["arm", "seed"], aggfunc="sum"
    )
    n_runs = sum(1 if fake.arm == "original" else 3 for fake in FAKES)
    counts = answers.groupby("concept").size().iloc[0] / n_runs
    means = sums / counts
    rng = np.random.default_rng(5)
    loop = []
    for _ in range(4000):
        concepts = rng.integers(len(means), size=len(means))
        seeds = rng.integers(3, size=3)
        of = {arm: means[arm].to_numpy()[concepts][:, seeds] for arm in ("PV", "RV")}
        loop.append((of["PV"] - of["RV"]).mean())
    low, high = np.quantile(loop, [0.025, 0.975])
    found = compared(tables, draws=4000).minus("lid", "PV", "RV").value
    wide = high - low
    assert found.low == pytest.approx(low, abs=0.06 * wide)
    assert found.high == pytest.approx(high, abs=0.06 * wide)


def test_seeds_widen_an_interval_when_they_differ(tables):
    """Against the interval of the concepts alone."""
    runs, items, answers = tables
    seeds = answers["seed"].to_numpy()
    moved = answers.assign(lid=answers["lid"] + np.array([0.0, 2.0, 4.0])[seeds])
    found = compared((runs, items, moved))
    one = found.single(next(r for r in found.tuned.runs if r.arm == "PV"), "lid").value
    mean = found.mean("PV", "lid").value
    assert mean.high - mean.low > 3 * (one.high - one.low)
    # What moves both arms of a pair alike does not widen their contrast.
    paired = found.minus("lid", "PV", "RV").value
    assert paired.high - paired.low < (mean.high - mean.low) / 3


def test_a_shared_concept_effect_cancels_in_a_contrast(tables):
    runs, items, answers = tables
    shift = dict(zip(sorted(set(answers["concept"])), range(6), strict=True))
    shifts = answers["concept"].astype(str).map(shift).astype(float)
    found = compared((runs, items, answers.assign(lid=answers["lid"] + 5 * shifts)))
    before = compared(tables).minus("lid", "PV", "FV").value
    after = found.minus("lid", "PV", "FV").value
    assert (after.low, after.high) == pytest.approx((before.low, before.high))


def test_the_original_is_paired_with_every_seed(arms, by_hand):
    found = arms.minus("forgotten", "PV", "original")
    assert found.n_seeds == 3
    assert found.value.value == pytest.approx(by_hand.loc["PV"]["forgotten"].mean())


def test_the_best_of_several_is_the_highest_of_each_draw(arms):
    names = ("FV", "CV", "RV")
    best = arms.minus("accuracy", "PV", *names)
    each = [arms.minus("accuracy", "PV", name).drawn for name in names]
    assert best.drawn == pytest.approx(np.min(each, axis=0))


def test_a_failed_run_is_told_and_the_others_go_on():
    tables = arm_tables("m", seeds=4, failed=[("PV", 1), ("CV", 0)], taught=6)
    found = compared(tables)
    causal = causal_table([found])
    failed = pick(causal, arm="PV", seed="1", metric="accuracy")
    assert np.isnan(failed["value"])
    assert failed["n_seeds"] == 0
    assert failed["reason"] == "the loss became NaN in step 7"
    pooled = pick(causal, arm="PV", seed=ALL_SEEDS, metric="accuracy")
    assert (pooled["n_seeds"], pooled["reason"]) == (3, "")
    both = found.minus("accuracy", "PV", "CV")
    assert both.n_seeds == 2
    assert both.reason == "2 seeds are too few for an interval"
    assert np.isnan(both.value.low)
    assert np.isfinite(both.value.value)


def test_an_arm_that_failed_altogether_has_no_contrast():
    tables = arm_tables("m", failed=[("FV", seed) for seed in range(3)])
    found = compared(tables)
    row = pick(contrasts_table([found]), metric="lid", other="FV")
    assert np.isnan(row["difference"])
    assert np.isnan(row["p_holm"])
    assert row["reason"] == "FV: the loss became NaN in step 7"
    estimates = causal_estimates([found]).frame.set_index("id")
    assert np.isnan(estimates.loc["causal.accuracy.PV-best", "estimate"])
    assert estimates.loc["causal.accuracy.PV-best", "reason"].startswith("FV: ")
    assert np.isfinite(estimates.loc["causal.accuracy.PV-best-equal", "estimate_low"])


def test_arms_without_a_common_seed_are_not_compared():
    failed = [("PV", 0), ("RV", 1), ("RV", 2)]
    found = compared(arm_tables("m", failed=failed)).minus("lid", "PV", "RV")
    assert (found.reason, found.n_seeds) == (NO_COMMON_SEED, 0)


def test_one_seed_has_an_interval_over_concepts_only():
    found = compared(arm_tables("m", seeds=1))
    causal = causal_table([found])
    single = pick(causal, arm="PV", seed="0", metric="lid")
    pooled = pick(causal, arm="PV", seed=ALL_SEEDS, metric="lid")
    assert np.isfinite(single["value_low"])
    assert np.isnan(pooled["value_low"])
    assert pooled["value"] == single["value"]
    assert pooled["reason"] == "1 seed is too few for an interval"
    original = pick(causal, arm="original", seed=ALL_SEEDS, metric="lid")
    assert np.isfinite(original["value_low"])


def test_two_concepts_are_too_few():
    found = compared(arm_tables("m", taught=2)).mean("PV", "accuracy")
    assert found.reason == "2 concepts are too few for an interval"


def test_undefined_answers_are_left_out(tables):
    runs, items, answers = tables
    first = answers["item"] == answers["item"].iloc[0]
    some = answers.assign(lid=answers["lid"].mask(first))
    found = causal_table([compared((runs, items, some))])
    row = pick(found, arm="PV", seed="0", metric="lid")
    mine = some[(some["arm"] == "PV") & (some["seed"] == 0)]
    assert row["value"] == pytest.approx(mine["lid"].mean())
    none = causal_table([compared((runs, items, answers.assign(lid=np.nan)))])
    row = pick(none, arm="PV", seed=ALL_SEEDS, metric="lid")
    assert np.isnan(row["value"])
    assert row["reason"] == "PV: no free answer has it"


def test_masks_and_the_original_may_be_missing(tables):
    runs, items, answers = tables
    unmasked = items[items["mask"] != "top-fixed"]
    found = causal_table([compared((runs, unmasked, answers))])
    row = pick(found, arm="PV", seed="0", metric="signed_fixed")
    assert row["reason"] == "no mask top-fixed was measured"
    trained = [frame[frame["arm"] != "original"] for frame in tables]
    found = compared(trained)
    row = pick(causal_table([found]), arm="PV", seed="0", metric="forgotten")
    assert row["reason"] == "the original was not measured"
    estimates = causal_estimates([found]).frame.set_index("id")
    reason = estimates.loc["causal.accuracy.PV-original", "reason"]
    assert reason == "there is no arm original"


def test_what_is_no_knowledge_is_not_forgotten(tables, arms):
    runs, items, answers = tables
    other = items[items["concept"] == arms.tuned.others[0]]
    control = other.astype({"concept": "str", "category": "str"})
    control = control.assign(concept="control", category=NON_KNOWLEDGE)
    with_it = pd.concat([items.astype({"concept": "str", "category": "str"}), control])
    found = compared((runs, with_it, answers))
    assert found.tuned.others == arms.tuned.others
    assert found.mean("FV", "forgotten") == arms.mean("FV", "forgotten")


def test_a_model_all_of_whose_runs_failed_is_told(tables):
    runs, items, answers = tables
    failed = runs.assign(reason="stopped")
    found = compared((failed, items.iloc[:0], answers.iloc[:0]))
    causal = checked(causal_table([found]), CAUSAL)
    assert causal["value"].isna().all()
    assert causal["reason"].str.endswith("stopped").all()
    assert contrasts_table([found])["difference"].isna().all()


def test_without_arms_every_statistic_has_its_reason():
    assert causal_table([]).empty
    assert contrasts_table([]).empty
    found = causal_estimates([])
    assert set(found.frame["reason"]) == {NO_ARMS}
    assert not found.tails


def test_every_claim_on_arms_names_a_statistic():
    names = {each.id for each in CLAIMED}
    assert len(names) == len(CLAIMED)
    mine = [claim for claim in read_claims(CLAIMS) if claim.id.startswith("fine-tun")]
    assert len(mine) == 6
    assert {claim.statistic for claim in mine} <= names
    assert {claim.control.statistic for claim in mine} <= names


def test_several_models_are_averaged(tables, arms):
    other = Arms(tuned_of("n", *arm_tables("n", n_concepts=N_CONCEPTS)), DRAWS, 0)
    single = [each.minus("lid", "PV", "RV").value.value for each in (arms, other)]
    rows = causal_estimates([arms, other]).frame.set_index("id")
    row = rows.loc["causal.lid.PV-RV"]
    assert row["estimate"] == pytest.approx(np.mean(single))
    assert row["estimate_low"] < row["estimate"] < row["estimate_high"]


def test_models_that_were_taught_new_facts_enter_no_claim(tables, arms):
    runs, items, answers = arm_tables("n", n_concepts=N_CONCEPTS)
    taught = tuned_of("n", runs.assign(facts="new"), items, answers)
    new = Arms(taught, DRAWS, 0)
    both, alone = (causal_estimates(each).frame for each in ([arms, new], [arms]))
    pd.testing.assert_frame_equal(both, alone)
    assert set(causal_estimates([new]).frame["reason"]) == {NO_ARMS}
    rows = contrasts_table([arms, new])
    assert rows.groupby("model")["facts"].unique().map(list).to_dict() == {
        arms.tuned.model: ["known"],
        "n": ["new"],
    }
    assert runs_table([arms.tuned, taught])["facts"].value_counts().nunique() == 1


def test_the_files_of_a_model_are_read(tmp_path, tables, arms):
    write_arms(tmp_path, "m", n_concepts=N_CONCEPTS)
    (read,) = read_tuned(StudyFiles(tmp_path), ["m", "m"])
    found = causal_table([Arms(read, DRAWS, 0)])
    pd.testing.assert_frame_equal(found, causal_table([arms]))
    with pytest.raises(UserError, match="no such file"):
        read_tuned(StudyFiles(tmp_path), ["n"])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_arms_that_are_alike_do_not_differ(seed, other):
    """The same made-up answers under two names: every contrast is exactly 0."""
    fake = FakeArm("PV", 0.7, 0.8, 0.3, 0.5, 9.0, 8)
    tables = ALIKE or arm_tables("m", [fake], n_concepts=9, taught=3)
    ALIKE[:] = tables
    twice = [
        pd.concat(
            [
                frame.astype({"arm": "str"}),
                frame.astype({"arm": "str"}).assign(arm="RV"),
            ]
        )
        for frame in tables
    ]
    found = Arms(tuned_of("m", *twice), 100, seed % (other + 1))
    for metric in ("accuracy", "signed", "lid"):
        mean = found.minus(metric, "PV", "RV")
        assert not mean.drawn.any()
        assert mean.value.p == 1


ALIKE = []

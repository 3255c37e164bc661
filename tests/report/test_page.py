"""The page stands alone, tells every claim, and writes the tables' numbers."""

import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest
from tests import made_up
from tests.synthetic_study import HARDWARE

from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.across_models import MODELS
from paraspec.core.tables.causal import CAUSAL, CONTRASTS
from paraspec.core.tables.induced import INDUCED
from paraspec.core.tables.judged import VERIFY
from paraspec.report.answer import answer, lead
from paraspec.report.figures import FIGURES
from paraspec.report.numbers import interval, number, points

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action"}
HERE = ("#", "data:image/png;base64,")
"""What a target on the page itself begins with."""


class Reader(HTMLParser):
    """Check nesting, and collect tags, identifiers and what would be loaded."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.loads, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in LOADING:
                self.loads.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="session")
def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.fixture(scope="session")
def words(read):
    return " ".join(" ".join(read.text).replace("\N{NO-BREAK SPACE}", " ").split())


def cells(html, table):
    """Rows of a page table as lists of (text, small text)."""
    body = re.search(rf'<table id="table-{table}"[^>]*>.*?</table>', html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(0), re.DOTALL)[1:]
    return [
        [
            tuple(
                re.sub("<[^>]+>", "", part).replace("\N{NO-BREAK SPACE}", " ")
                for part in [*cell.split('<span class="ci">'), ""][:2]
            )
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_html_is_well_nested_with_unique_identifiers(read):
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))


def test_page_loads_nothing(html, read):
    assert all(target.startswith(HERE) for target in read.loads)
    assert not {"link", "iframe", "object"} & set(read.tags)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_references_within_figures_resolve(html, read):
    used = re.findall(r'url\(#([^)]+)\)|xlink:href="#([^"]+)"', html)
    assert used
    assert {a or b for a, b in used} <= set(read.ids)


def test_every_claim_stands_with_its_verdict(html, words, claims):
    for row in claims.itertuples():
        assert row.claim in words
        cut = html.split(f'id="claim-{row.id}"')[1].split("</tr>")[0]
        badge = re.search(r'class="badge ([a-z-]+)">\S+ ([a-z ]+)<', cut)
        assert badge.groups() == (row.verdict.replace(" ", "-"), row.verdict)
        assert number(row.estimate) in cut
        assert interval(row.estimate_low, row.estimate_high) in cut


def test_every_figure_is_inline_with_words_for_those_who_cannot_see(html):
    for name, figure in FIGURES.items():
        part = html.split(f'id="figure-{name}"')[1].split("</figure>")[0]
        assert f'aria-label="{escape(figure.alt)}"' in part
        assert "<figcaption>" in part


def test_links_lead_somewhere(read, drawn):
    """To a part of the page, or to a model that the explorer holds."""
    targets = {load[1:] for load in read.loads if load.startswith("#")}
    models = {f"model={name}" for name in drawn.models["model"]}
    assert targets <= set(read.ids) | models


def test_models_come_first_in_a_table_of_few_columns(html, drawn):
    rows = {row[0][0]: row for row in cells(html, "models")}
    assert list(rows) == list(drawn.final["model"][::-1])
    assert max(map(len, rows.values())) <= 6


def test_wide_tables_are_folded(html):
    for name in ("knowledge", "specialisation", "known", "controls", "evidence"):
        before = html.split(f'<table id="table-{name}"')[0]
        assert before.rfind("<details") > before.rfind("</details")


def test_models_table_repeats_the_tables_numbers(html, drawn):
    rows = {row[0][0]: row for row in cells(html, "knowledge")}
    assert list(rows) == list(drawn.final["model"][::-1])
    for row in drawn.final.itertuples():
        shown = rows[row.model]
        low_high = interval(row.accuracy_low, row.accuracy_high)
        assert (number(row.accuracy), low_high) in shown
        assert (number(row.never_seen_gap), "") in shown


def test_specialisation_table_repeats_the_tables_numbers(html, drawn):
    rows = {row[0][0]: row for row in cells(html, "specialisation")}
    for row in drawn.final.itertuples():
        assert rows[row.model][2] == (
            number(row.pss),
            interval(row.pss_low, row.pss_high),
        )


def test_controls_table_repeats_the_tables_numbers(html, drawn):
    rows = {row[0][0]: row for row in cells(html, "controls")}
    swap = drawn.controls[drawn.controls["mask"] == "swap"].set_index("model")
    for model in drawn.final["model"]:
        row = swap.loc[model]
        shown = (number(row["signed"]), interval(row["signed_low"], row["signed_high"]))
        assert shown in rows[model]


def test_correlations_are_all_there(html, drawn):
    assert len(cells(html, "correlations")) == len(drawn.correlations)


def test_contrasts_repeat_the_tables_numbers(html, drawn):
    """PV minus a random arm, with its interval and p; of a failed pair why not."""
    rows = {row[0][0]: row for row in cells(html, "contrasts")}
    assert len(rows) == drawn.contrasts["metric"].nunique()
    wanted = drawn.contrasts["other"] == "RV"
    row = drawn.contrasts[wanted].set_index("metric").loc["lid"]
    ends = interval(row["difference_low"], row["difference_high"])
    text, small = next(
        cell
        for cell in rows["local intrinsic dimension"]
        if cell[0] == number(row["difference"])
    )
    assert text == number(row["difference"])
    assert small == f"{ends}; p = {number(row['p_holm'])}"
    assert "2 seeds are too few for an interval" in str(rows["accuracy"])
    assert len(cells(html, "arms")) == drawn.causal["metric"].nunique()


def test_models_of_a_mechanism_have_a_table_of_their_own(html, drawn):
    rows = {row[0][0]: row for row in cells(html, "induced")}
    assert list(rows) == list(drawn.induced["model"])
    assert rows["llama-64-s0"][1][0] == "plain"
    assert rows["routing-llama-64-s0"][1][0] == "routing 0.5"
    others = {row[0][0] for row in cells(html, "models")}
    assert set(drawn.final["model"]) <= others
    assert not {"routing-llama-64-s0", "dropout-llama-64-s1"} & others


def test_a_study_without_causal_experiments_does_not_speak_of_them(copy):
    files = StudyFiles(copy)
    for table in (CAUSAL, CONTRASTS, INDUCED):
        path = files.table(f"{table.name}.csv")
        write_table(read_table(path, table).iloc[:0], table, path)
    text = made_up.page_of(copy)
    reader = Reader()
    reader.feed(text)
    assert "figure-arms" not in text
    assert "figure-induced" not in text
    assert "<h3>Causal experiments</h3>" not in text
    tables = {"table-contrasts", "table-arms", "table-induced"}
    assert not tables & set(reader.ids)
    targets = {load[1:] for load in reader.loads if load.startswith("#figure")}
    assert targets <= set(reader.ids)


def test_answer_takes_its_numbers_from_the_tables(words, drawn, claims):
    told = answer(drawn)
    top = "model == '(all)' and mask == 'top' and ablation == 'zero'"
    row = drawn.controls.query(f"{top} and selector == 'difference'").iloc[0]
    assert points(abs(row["signed"])) in told
    assert told in words


def test_lead_counts_the_verdicts(words, drawn, claims):
    told = lead(drawn, claims)
    assert f"Of {len(claims)} claims" in told
    assert told in words


def test_answer_without_data_says_so(drawn, claims):
    empty = replace(
        drawn,
        models=drawn.models.iloc[:0],
        controls=drawn.controls.iloc[:0],
        correlations=drawn.correlations.iloc[:0],
    )
    told = lead(empty, claims.iloc[:0]) + answer(empty)
    assert "holds no models" in told
    assert "nan" not in told


def test_provenance_names_versions_and_hashes_but_no_machine(html, words, root):
    from paraspec.core.files import sha256_of

    assert sha256_of(root.parent / "factbook.jsonl") in words
    assert sha256_of(made_up.CLAIMS) in words
    for package in ("torch", "transformers", "snakemake", "dvc", "python"):
        assert package in words
    assert str(root.parent) not in html
    n_models = len(list((root / "models").iterdir()))
    assert f"{HARDWARE} ({n_models})" in words


def test_time_and_memory_are_summed_per_rule(html):
    rows = {row[0][0]: [text for text, _ in row] for row in cells(html, "costs")}
    assert rows["train"] == [
        "train",
        "2",
        "1 min 32 s",
        "1 min 02 s",
        "40.5 s",
        "1.50 GiB",
    ]
    assert rows["plan"] == ["plan", "1", "0.5 s", "0.5 s", "0.2 s", "n/a"]
    assert rows["all rules"][1] == "3"


def test_no_comparison_is_told_as_such(words):
    assert "No comparison was made" in words


def test_edits_of_the_claims_are_told(root, tmp_path):
    claims = tmp_path / "claims.yaml"
    edits = "edits:\n  - {when: 2026-01-02, claim: scale, change: A <new> margin.}\n"
    claims.write_text(f"{edits}  - Only words.\n")
    text = made_up.page_of(root, claims)
    assert "<dt>2026-01-02 scale</dt>" in text
    assert "A &lt;new&gt; margin." in text
    assert "Only words." in text
    assert "Verdict before" not in text


def test_comparison_lists_verdicts_and_what_differs(copy):
    from paraspec.stats.verify import compared, read_frame, read_rules

    files = StudyFiles(copy)
    rules = read_rules(made_up.CONFIG.parent / "verify.yaml")
    fresh = {name: read_frame(files.table(f"{name}.csv")) for name in rules}
    old = {name: frame.copy() for name, frame in fresh.items()}
    old["claims"].loc[0, "verdict"] = "replicated?"
    found = compared(rules, fresh, old)
    write_table(found, VERIFY, files.table("verify.csv"))
    text = made_up.page_of(copy)
    assert "replicated?" in text
    assert len(cells(text, "verify")) == (found["table"] == "claims").sum()


def test_undefined_numbers_are_written_as_missing(copy):
    path = StudyFiles(copy).table("models.csv")
    frame = read_table(path, MODELS)
    columns = [c for c in frame.select_dtypes("float64") if c != "primary_ratio"]
    frame[columns] = np.nan
    write_table(frame, MODELS, path)
    text = made_up.page_of(copy)
    assert ("n/a", "") in cells(text, "models")[0]
    assert ">nan<" not in text


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("tables/models.csv", "models"),
        ("tables/claims.csv", "claims"),
        ("measure/gpt2-32/efficiency.csv", "efficiency"),
        ("figures/tiers.svg", "paraspec figures"),
    ],
)
def test_a_missing_input_is_named_with_a_remedy(path, remedy, copy):
    (copy / path).unlink()
    with pytest.raises(UserError, match=remedy) as error:
        made_up.page_of(copy)
    assert error.value.where == str(copy / path)

"""What a reader meets on opening the page."""

import pytest

from paraspec.report.catalogue import CATALOGUE

WHY = "selenium is not installed (pip install 'paraspec[browser]')"
By = pytest.importorskip("selenium.webdriver.common.by", reason=WHY).By
Keys = pytest.importorskip("selenium.webdriver.common.keys", reason=WHY).Keys
Select = pytest.importorskip("selenium.webdriver.support.select", reason=WHY).Select
pytestmark = pytest.mark.xdist_group("browser")
WIDTHS = (390, 1280)
A4 = 718
"""Pixels across a sheet of paper, within its margins."""
MODEL, OTHER = "llama-64-s1", "gpt2-32"


def text_of(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def column(browser, table, place):
    """Cells of a table's column, as the browser shows them."""
    cells = f"#{table} tbody tr:not(.group) > :nth-child({place})"
    return [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, cells)]


def unfolded(browser, table):
    """Show a table that stands in a fold."""
    browser.execute_script(
        "const fold = document.getElementById(arguments[0]).closest('details');"
        "if (fold) fold.open = true;",
        table,
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_opens_without_a_word_in_the_console(opened, width):
    browser = opened(width=width)
    assert browser.get_log("browser") == []
    assert "Which claims hold" in browser.page_source


def test_requests_nothing(opened):
    browser = opened()
    script = "return performance.getEntriesByType('resource').map((e) => e.name)"
    assert browser.execute_script(script) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_body_never_scrolls_sideways(opened, width):
    for fragment in ("", f"#model={MODEL}", f"#model={MODEL}&concept=concept-000"):
        browser = opened(fragment, width)
        unfolded(browser, "table-specialisation")
        script = "return document.documentElement.scrollWidth"
        assert browser.execute_script(script) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_seen(opened, width):
    browser = opened(width=width)
    for name in CATALOGUE:
        svg = browser.find_element(By.CSS_SELECTOR, f"#figure-{name} svg")
        assert svg.is_displayed()
        assert svg.size["width"] > 300
        assert svg.size["height"] > 100
        assert svg.get_attribute("aria-label") == CATALOGUE[name].alt


def test_the_verdicts_stand_on_the_first_screen(opened):
    browser = opened()
    script = (
        "return [...document.querySelectorAll('table.claims .badge')]"
        ".filter((badge) => badge.getBoundingClientRect().bottom < innerHeight).length"
    )
    assert browser.execute_script(script) >= 5


def test_on_a_phone_the_first_verdict_stands_on_the_first_screen(opened):
    browser = opened(width=390)
    badge = browser.find_element(By.CSS_SELECTOR, "table.claims .badge")
    assert badge.location["y"] + badge.size["height"] < 900


def test_links_lead_somewhere(opened):
    """To an element of the page, or to a model or concept that the explorer shows."""
    browser = opened()
    dead = browser.execute_script(
        "return [...document.querySelectorAll('a[href]')]"
        ".map((a) => a.getAttribute('href'))"
        ".filter((href) => !href.startsWith('#model=') &&"
        " !(href.startsWith('#') && document.getElementById(href.slice(1))))"
    )
    assert dead == []


@pytest.mark.parametrize("key", ["click", Keys.ENTER, Keys.SPACE])
def test_tables_sort_by_click_and_by_keyboard(opened, key):
    browser = opened()
    head = browser.find_element(By.CSS_SELECTOR, "#table-models th:nth-child(2)")
    button = head.find_element(By.TAG_NAME, "button")
    orders = []
    for _ in range(2):
        button.click() if key == "click" else button.send_keys(key)
        cells = column(browser, "table-models", 2)
        values = [float(cell.removesuffix(" K")) for cell in cells]
        orders.append((head.get_attribute("aria-sort"), values))
    (first, up), (second, down) = orders
    assert (first, second) == ("ascending", "descending")
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert up != sorted(up, key=str)  # by number, not by text


def test_numbers_that_are_missing_sort_last_either_way(opened):
    browser = opened()
    unfolded(browser, "table-evidence")
    path = "#table-evidence th:nth-child(4) button"
    for _ in range(2):
        browser.find_element(By.CSS_SELECTOR, path).click()
        cells = column(browser, "table-evidence", 4)
        missing = [cell == "n/a" for cell in cells]
        assert any(missing)
        assert missing == sorted(missing)


def test_claims_sort_within_their_group(opened):
    browser = opened()
    script = (
        "return [...document.querySelectorAll('#table-claims tbody')]"
        ".map((body) => [...body.rows].map((row) => row.id))"
    )
    before = browser.execute_script(script)
    browser.find_element(
        By.CSS_SELECTOR, "#table-claims th:nth-child(2) button"
    ).click()
    after = browser.execute_script(script)
    assert before != after
    assert [sorted(group) for group in before] == [sorted(group) for group in after]
    assert [group[0] for group in after] == ["", ""]  # the groups' titles


def test_marks_name_themselves_and_arrow_keys_lead_on(opened):
    browser = opened()
    script = "return document.activeElement.getAttribute('aria-label')"
    mark = browser.find_element(By.CSS_SELECTOR, "#figure-sizes .tip[tabindex='0']")
    browser.execute_script("arguments[0].focus()", mark)
    named = text_of(browser, "#tip")
    assert named == browser.execute_script(script)
    mark.send_keys(Keys.ARROW_RIGHT)
    assert text_of(browser, "#tip") == browser.execute_script(script) != named
    browser.execute_script("document.activeElement.blur()")
    assert not browser.find_element(By.ID, "tip").is_displayed()


def test_a_model_has_its_page(opened):
    browser = opened(f"#model={MODEL}")
    page = text_of(browser, "#explorer-page")
    assert f"Model {MODEL}" in page
    assert "Concept 3" in page
    assert browser.find_element(
        By.CSS_SELECTOR, "#explorer-page svg.curve"
    ).is_displayed()
    assert len(browser.find_elements(By.CSS_SELECTOR, ".curve path")) == 3


def test_a_concept_has_its_page(opened):
    browser = opened(f"#model={MODEL}&concept=concept-003")
    page = text_of(browser, "#explorer-page")
    assert f"Concept 3 in {MODEL}" in page
    assert page.count("of Concept 3?") == 10
    assert "own mask" in page
    assert "layer" in page


def test_choosing_leads_to_the_page_and_into_the_address(opened):
    browser = opened()
    Select(browser.find_element(By.ID, "choose-model")).select_by_value(OTHER)
    assert f"Model {OTHER}" in text_of(browser, "#explorer-page")
    Select(browser.find_element(By.ID, "choose-concept")).select_by_value("concept-001")
    assert f"Concept 1 in {OTHER}" in text_of(browser, "#explorer-page")
    assert browser.current_url.endswith(f"#model={OTHER}&concept=concept-001")
    browser.back()
    assert f"Model {OTHER}" in text_of(browser, "#explorer-page")


def test_a_models_name_in_a_table_leads_to_its_page(opened):
    browser = opened()
    browser.find_element(By.CSS_SELECTOR, f"a[href='#model={OTHER}']").click()
    title = browser.find_element(By.CSS_SELECTOR, "#explorer-page h3")
    assert title.text == f"Model {OTHER}"
    top = browser.execute_script(
        "return arguments[0].getBoundingClientRect().top", title
    )
    assert 0 <= top < 900


def test_a_model_that_is_not_there_is_told(opened):
    browser = opened("#model=nobody")
    assert "does not carry nobody" in text_of(browser, "#explorer-page")
    assert browser.get_log("browser") == []


def test_without_javascript_the_page_still_reads(opened):
    browser = opened()
    off = {"value": True}
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", off)
    try:
        browser.refresh()
        assert text_of(browser, "h1")
        assert "needs JavaScript" in text_of(browser, "#explorer")
        assert not browser.find_element(By.ID, "explorer-tools").is_displayed()
        assert browser.find_element(
            By.CSS_SELECTOR, "#figure-controls svg"
        ).is_displayed()
    finally:
        browser.execute_cdp_cmd(
            "Emulation.setScriptExecutionDisabled", {"value": False}
        )


def test_in_print_folds_are_open_and_the_explorer_is_gone(opened):
    browser = opened(width=A4)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        assert browser.find_element(By.ID, "table-specialisation").is_displayed()
        assert not browser.find_element(By.ID, "explorer").is_displayed()
        script = "return getComputedStyle(document.querySelector('.scroll')).overflowX"
        assert browser.execute_script(script) == "visible"
        width = "return document.documentElement.scrollWidth"
        assert browser.execute_script(width) <= A4
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

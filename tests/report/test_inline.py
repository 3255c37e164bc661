"""SVG inside a page: own identifiers, no fixed size, the page's colours."""

from paraspec.report.inline import inline_svg
from paraspec.report.style import INK

SVG = f"""<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "x" "http://www.w3.org/x">
<svg xmlns:xlink="x" width="9pt" height="5pt" viewBox="0 0 9 5" version="1.1">
 <metadata><a>b</a></metadata>
 <path id="p1" clip-path="url(#c1)" style="stroke: {INK}"/><use xlink:href="#p1"/>
</svg>"""


def test_identifiers_get_the_figures_name():
    text = inline_svg(SVG, "tiers", "A <b> & c")
    assert 'id="tiers-p1"' in text
    assert "url(#tiers-c1)" in text
    assert 'xlink:href="#tiers-p1"' in text


def test_size_prologue_and_metadata_go():
    text = inline_svg(SVG, "tiers", "alt")
    assert text.startswith("<svg ")
    assert "width=" not in text
    assert "height=" not in text
    assert "metadata" not in text
    assert 'viewBox="0 0 9 5"' in text


def test_ink_follows_the_page_and_the_description_is_escaped():
    text = inline_svg(SVG, "tiers", 'A <b> & "c"')
    assert "stroke: var(--ink)" in text
    assert 'aria-label="A &lt;b&gt; &amp; &quot;c&quot;"' in text

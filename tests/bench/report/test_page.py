"""The page of the documentation says what the kept run says."""

import pytest

from bench import results
from bench.places import PAGE, RESULTS
from bench.report import chart, markdown, page
from bench.report.page import UnknownBlock

TEXT = """\
# Title

<!-- bench: goals -->
| old | table |
<!-- bench: end -->

between

<!-- bench: facts -->
<!-- bench: end -->
"""
FILLED = """\
# Title

<!-- bench: goals -->

new goals

<!-- bench: end -->

between

<!-- bench: facts -->

new \\1 facts

<!-- bench: end -->
"""


def test_what_stands_between_markers_is_replaced():
    texts = {"goals": "new goals", "facts": r"new \1 facts", "other": ""}
    assert page.filled(TEXT, texts) == FILLED
    assert page.filled(FILLED, texts) == FILLED


def test_a_marker_that_no_run_can_fill_is_an_error():
    with pytest.raises(UnknownBlock, match="'facts' is none of goals"):
        page.filled(TEXT, {"goals": ""})


def test_the_page_has_the_figures_of_the_kept_run():
    """After a run, or a change of the tables: python -m bench report."""
    kept = results.read(RESULTS / "full.json")
    text = PAGE.read_text(encoding="utf-8")
    for name, block in page.blocks(kept).items():
        assert f"<!-- bench: {name} -->\n\n{block}\n\n<!-- bench: end -->" in text, name


def test_table_and_chart_have_the_figures_of_the_kept_run():
    """After a run, or a change of the tables: python -m bench report."""
    kept = results.read(RESULTS / "full.json")
    assert (RESULTS / "full.md").read_text(encoding="utf-8") == markdown.report(kept)
    assert (RESULTS / "full.svg").read_text(encoding="utf-8") == chart.drawn(kept)

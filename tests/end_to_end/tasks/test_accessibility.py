"""What keeps people out of a page: axe finds nothing of weight on any page, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200, func_only=True)]

VIEWS = ("live", "runs", "compare", "interventions", "run", "measures", "health")
SETTLED_MS = 2_500


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_moderate_or_serious_on_any_page(address, open_page, scheme):
    """What is left is minor and Streamlit's own: the head of the column of ticks in its table has no text."""
    page = open_page(f"{address}/health?experiment=sweep", scheme=scheme)
    found = []
    for view in VIEWS:
        page.goto(f"{address}/{view}?experiment=sweep")
        page.wait_for_selector(".st-key-menu a")
        page.wait_for_timeout(SETTLED_MS)
        rules = Axe().run(page).response["violations"]
        found += [(view, rule["id"], rule["nodes"][0]["html"]) for rule in rules if rule["impact"] != "minor"]
    assert found == []

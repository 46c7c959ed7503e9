"""docs/measures.md says every row of the table, and no other."""

import re
from pathlib import Path

import pytest

from grokscope.schemas import METRICS, is_split

PAGE = Path(__file__).parents[3] / "docs" / "measures.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]


def named(row):
    family, quantity = re.match(r"\| `([^/`]+)/([^`]+)` \|", row).groups()
    return ("curve" if family == "<split>" or is_split(family) else family), quantity


def test_the_page_names_every_row_of_the_table_in_its_order():
    assert [named(row) for row in ROWS] == list(METRICS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "/".join(named(row)))
def test_a_row_says_label_unit_tier_and_source_as_the_table_does(row):
    metric = METRICS[named(row)]
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    assert len(cells) == 9
    assert (cells[1], cells[3], cells[4], cells[8]) == (
        metric.label.replace("|", "\\|"),
        metric.unit,
        metric.tier.value,
        metric.source,
    )


def test_every_measure_has_a_formula():
    counted = {"progress", "collector", "detector"}
    bare = [named(row) for row in ROWS if named(row)[0] not in counted and row.split(" | ")[2] == "—"]
    assert bare == []

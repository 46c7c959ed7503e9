"""What is generated from the measures says what they say; ``make measures`` writes it anew."""

import json
import re
from pathlib import Path

import pytest

from grokscope.collectors.measures.table import COSTS, PAGE, TABLE, all_measures, given_by, page, table
from grokscope.schemas import METRICS, is_split

ROOT = Path(__file__).parents[3]
ANEW = "the measures have changed: run `make measures` and commit what it writes"
ROWS = [line for line in (ROOT / PAGE).read_text().splitlines() if line.startswith("| `")]


def test_the_committed_table_is_the_one_that_the_measures_make():
    assert (ROOT / TABLE).read_text() == table(), ANEW


def test_the_page_is_the_one_that_the_measures_make():
    assert (ROOT / PAGE).read_text() == page(json.loads((ROOT / COSTS).read_text())), ANEW


def test_the_reading_side_has_the_very_records():
    assert tuple(METRICS.values()) == all_measures()


def test_no_two_measures_have_one_key():
    assert len({measure.key for measure in all_measures()}) == len(all_measures())


def test_every_cost_on_the_page_is_of_a_measure():
    costs = [model["costs_ms"] for model in json.loads((ROOT / COSTS).read_text())]
    assert {key for of in costs for key in of} <= {measure.key for measure in all_measures()}


def named(row):
    family, quantity = re.match(r"\| `([^/`]+)/([^`]+)` \|", row).groups()
    return ("curve" if family == "<split>" or is_split(family) else family), quantity


def test_the_page_names_every_row_of_the_table_in_its_order():
    assert [named(row) for row in ROWS] == list(METRICS)


@pytest.mark.parametrize("measure", all_measures(), ids=lambda measure: measure.key)
def test_every_measure_is_documented_and_something_gives_it(measure):
    assert all((measure.label, measure.unit, measure.source))
    assert given_by(measure)
    counted = {"progress", "collector", "detector"}
    assert measure.formula or measure.family in counted

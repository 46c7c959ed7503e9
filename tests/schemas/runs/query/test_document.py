"""Every example of the page on queries chooses some runs and leaves some out."""

import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from grokscope.dashboard.words.patterns import PATTERN_OF_WORD
from grokscope.schemas import Date, Delay, Pattern, Verdict
from grokscope.schemas.runs.query import Facts, Query

PAGE = (Path(__file__).parents[4] / "docs" / "queries.md").read_text()
CELLS = re.findall(r"^\| (`` .+? ``|`[^`]+`) \| (.*) \|$", PAGE, re.MULTILINE)
WRITTEN = [cell.strip("` ") if not cell.startswith("`` ") else cell[3:-3] for cell, _ in CELLS]
WITHIN = [
    text
    for _, told in CELLS
    for text in re.findall(r"`([^`]+)`", told)
    if text != "not in" and re.search(r"\bnot [a-z]+[.a-z]+$|[a-z] [<>=] ?[^`]", text)
]
NAMED = [*re.findall(r"^lr > .*$", PAGE, re.MULTILINE), "lr != 0.1", "not lr = 0.1"]


def ms(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def pairs(**values):
    rows = [(run, key.replace("_", " "), value) for key, own in values.items() for run, value in own.items()]
    return pl.DataFrame(rows, schema=["run_id", "key", "value"], orient="row")


def date(step):
    return Date(step=step, low=step, high=step)


def ends(_):
    rows = [
        ("a", "test/accuracy", 0.95, 0.1, 0.97),
        ("b", "test/accuracy", 0.5, 0.1, 0.6),
        ("a", "val/loss", 0.9, 0.5, 4.0),
        ("b", "val/loss", 2.0, 2.0, 4.0),
        ("a", "weights/norm", 20.0, 10.0, 40.0),
        ("b", "weights/norm", 20.0, 10.0, 20.0),
    ]
    return pl.DataFrame(rows, schema=["run_id", "metric", "last", "min", "max"], orient="row")


FACTS = Facts(
    runs=pl.DataFrame(
        {
            "run_id": ["a", "b", "c"],
            "name": ["wd 1 seed 0", "WD 2 seed 1", "baseline"],
            "status": ["FINISHED", "RUNNING", "FAILED"],
            "started_ms": [ms(2026, 11, 28, 14), ms(2026, 11, 29), ms(2026, 11, 20)],
            "ended_ms": [ms(2026, 11, 28, 15), None, ms(2026, 11, 21)],
            "seed": [0, 1, 2],
            "group": ["wd 1", "wd 2", None],
        }
    ),
    params=pairs(
        optimizer={"a": "adam", "b": "adamw"},
        lr={"a": "0.1", "b": "0.01"},
        my_param={"a": "a b"},
        name={"a": "tiny"},
        warmup={"a": "10"},
        experiment={"a": "my sweep"},
    ),
    tags=pairs(bad={"b": "yes", "c": "no"}, owner={"a": "ann"}),
    metric_names=["test/accuracy", "val/loss", "weights/norm"],
    metrics=ends,
    verdicts={
        "a": Verdict(
            run="a", pattern=Pattern.GROKKING, memorized=date(9), onset=date(99), delay=Delay(steps=7)
        ),
        "b": Verdict(run="b", pattern=Pattern.MEMORIZATION, memorized=date(9)),
    },
    pattern_words=PATTERN_OF_WORD,
    now_ms=ms(2026, 11, 29, 6),
)


def test_the_page_has_examples_of_all_forms():
    assert len(WRITTEN) >= 25
    assert {"not onset", "not param.warmup", "test/accuracy > 0.9"} <= set(WITHIN)


@pytest.mark.parametrize("text", [*WRITTEN, *WITHIN, *NAMED])
def test_an_example_of_the_page_chooses_some_runs(text):
    chosen = Query.parse(text).selects(FACTS)
    assert 0 < len(chosen) < FACTS.runs.height

"""Reports: what other people wrote into names stays text, in Markdown and in HTML."""

import polars as pl
import pytest

from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.comparing.report import report
from grokscope.interventions.comparing.skeptic import questions_of
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target

NAMES = {
    "![i](http://evil/x)": "!\\[i\\](http\\://evil/x)",
    "see www.evil.com": "see www\\.evil.com",
    "@team ~~x~~ $x$": "\\@team \\~\\~x\\~\\~ \\$x\\$",
    "<b>|": "\\<b\\>\\|",
    "1. x": "1\\. x",
    "- x": "\\- x",
    "0.1": "0.1",
    "a\u202eb\x1b[1m": "a\\\\u202eb\\\\x1b\\[1m",
}


def found_and_observed():
    rows = [
        (f"{name}-{seed}", name, seed, step, "loss", 2.0 - step)
        for name in NAMES
        for seed in range(2)
        for step in range(3)
    ]
    table = pl.DataFrame(rows, schema=["run_id", "group", "seed", "step", "metric", "value"], orient="row")
    runs = table.select("run_id", pl.col("run_id").alias("name"), "group", "seed").unique(maintain_order=True)
    status = pl.lit(None, pl.String).alias("status")
    observed = ObservedRuns(
        runs=runs.with_columns(status), curves=table.select("run_id", "metric", "step", "value")
    )
    return compare(observed, target=Target.parse("loss<=1"), by=["group"]), observed


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_a_group_is_text_in_markdown(name, shown):
    found, observed = found_and_observed()
    page = report(found, questions_of(found, observed), {}, html=False)
    assert f"\n| {shown} | 2 | 2 |" in page
    assert all(c.isprintable() or c == "\n" for c in page)


def test_a_group_is_text_in_html():
    found, observed = found_and_observed()
    page = report(found, questions_of(found, observed), {}, html=True)
    assert "<td>&lt;b&gt;|</td>" in page
    assert "<td>a\\u202eb\\x1b[1m</td>" in page
    assert all(c.isprintable() or c == "\n" for c in page)

"""Queries on all that is known of runs: verdicts, tags, metrics, times."""

import polars as pl
import pytest

from grokscope.schemas import Date, Delay, Kind, Pattern, Transition, Verdict
from grokscope.schemas.runs.query import Facts, Query, QueryError, ends_of_curves

DAY = 86_400_000
NOW = 20_000 * DAY  # 2024-10-04


def date(step):
    return Date(step=step, low=step, high=step)


def pairs(*rows):
    return pl.DataFrame(rows, schema=["run_id", "key", "value"], orient="row")


CURVES = pl.DataFrame(
    [
        ("a", "test/accuracy", 1, 0.9),
        ("a", "test/accuracy", 3, 0.7),
        ("a", "test/accuracy", 2, 0.1),
        ("b", "test/accuracy", 1, 0.5),
        ("b", "test/accuracy", 2, float("nan")),
        ("a", "val/loss", 1, 3.0),
        ("b", "val/loss", 1, float("nan")),
        ("a", "my own", 1, 7.0),
    ],
    schema=["run_id", "metric", "step", "value"],
    orient="row",
)

VERDICTS = {
    "a": Verdict(run="a", pattern=Pattern.GROKKING, memorized=date(100), onset=date(4000),
                 generalized=date(9000), delay=Delay(steps=5000)),
    "b": Verdict(run="b", pattern=Pattern.MEMORIZATION, memorized=date(200)),
    "c": Verdict(run="c", pattern=Pattern.OTHER, transitions=[
        Transition(run_id="c", metric="val/loss", kind=Kind.DIVERGENCE, step=1, low=1, high=1)]),
}  # fmt: skip

FACTS = Facts(
    runs=pl.DataFrame(
        {
            "run_id": ["a", "b", "c", "d"],
            "name": ["one", "two", "three", "onset study"],
            "status": ["FINISHED", "RUNNING", "FAILED", "KILLED"],
            "started_ms": [NOW - 3 * DAY, NOW - DAY, NOW - DAY // 2, None],
            "ended_ms": [NOW - 2 * DAY, None, NOW - DAY // 2 + 3_600_000, None],
            "seed": [0, 1, 2, None],
            "group": ["wd 1", "wd 1", "wd 2", None],
        }
    ),
    params=pairs(
        ("a", "lr", "0.1"), ("b", "lr", "1e-4"), ("a", "seed", "7"), ("a", "hub_token", "abc123xyz")
    ),
    tags=pairs(
        ("a", "bad", "false"), ("b", "bad", "yes"), ("b", "grokscope.note", "odd one"), ("c", "bad", "")
    ),
    metric_names=["test/accuracy", "val/loss", "my own"],
    metrics=lambda names: ends_of_curves(CURVES.filter(pl.col("metric").is_in(list(names)))),
    verdicts=VERDICTS,
    pattern_words={"generalized late": "grokking", "fit only": "memorization", "not judged": "other"},
    now_ms=NOW,
)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("lr > 1e-3 and pattern = grokking and not tag.bad", "a"),
        ("pattern = 'Generalized late'", "a"),
        ("pattern in (Grokking, fit only)", "ab"),
        ("pattern != grokking", "bc"),
        ("not pattern = grokking", "bcd"),
        ("pattern = diverged", "c"),
        ("pattern = 'not judged'", "c"),
        ("onset < 5000", "a"),
        ("not onset", "bcd"),
        ("memorized", "ab"),
        ("memorized = 200", "b"),
        ("delay >= 5e3", "a"),
        ("generalized in (9000, 1)", "a"),
        ("tag.bad", "b"),
        ("not tag.bad", "acd"),
        ("tag.bad = yes", "b"),
        ("tag.note ~ odd", "b"),
        ("tag.unheard_of", ""),
        ("last(test/accuracy) = 0.7", "a"),
        ("test/accuracy < 0.8", "ab"),
        ("best(test/accuracy) > 0.8", "a"),
        ("max(test/accuracy) >= 0.9 and min(test/accuracy) <= 0.1", "a"),
        ("best(val/loss) < 100", "a"),
        ("`Test/Accuracy`", "ab"),
        ("last('my own') = 7", "a"),
        ("metric.val/loss", "a"),
        ("status = running", "b"),
        ("status in (Failed, KILLED)", "cd"),
        ("status != finished", "bcd"),
        ("name = one", "a"),
        ("name ~ O", "abd"),
        ("'onset'", "d"),
        ("group = 'wd 1'", "ab"),
        ("seed = 0", "a"),
        ("param.seed = 7", "a"),
        ("seed > 0", "bc"),
        ("started > 2d", "bc"),
        ("started < 48h", "a"),
        ("started = 2024-10-03", "bc"),
        ("started > 2024-10-03", "c"),
        ("started >= 2024-10-03T00:00", "bc"),
        ("started != 2024-10-03", "a"),
        ("ended < '2024-10-02 00:00:01'", "a"),
        ("duration >= 1d", "ab"),
        ("duration < 2h", "c"),
        ("not started", "abcd"),
        ("`started`", "abc"),
    ],
)
def test_conditions_choose_runs(text, runs):
    assert "".join(Query.parse(text).selects(FACTS)) == runs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patern = grokking", "at 1: 'patern' is no param, metric, tag or field; closest: 'pattern'"),
        (
            "pattern = groking",
            "at 9: pattern is one of 'collapse', 'comprehension', .* got 'groking'; closest: 'gr",
        ),
        ("status = done", "at 8: status is one of .*'running', 'scheduled', got 'done'"),
        ("best('my own') > 1", r"at 1: which way 'my own' is better is not known; use min\(\) or max\(\)"),
        ("last(test/acuracy) > 1", "at 1: no run has a metric 'test/acuracy'; closest: 'test/accuracy'"),
        ("onset ~ 5", "at 7: onset is compared with =, !=, <, <=, >, >=, in, not in, got ~"),
        ("onset < soon", "at 7: onset < needs a number, got 'soon'"),
        ("started > yesterday", "at 9: started > needs a date such as 2026-11-28 or 2026-11-28T13:05"),
        ("started = 2d", "at 9: started = needs a date such as 2026-11-28, got '2d'"),
        (
            "duration > 2",
            "at 10: duration > needs a time with its unit, such as 30s, 30m, 2h, 1d or 1w, got '2'",
        ),
        ("duration = 2h", "at 10: duration is compared with <, <=, >, >=, got ="),
    ],
)
def test_what_cannot_be_decided_is_refused_in_one_sentence(text, said):
    with pytest.raises(QueryError, match=said):
        Query.parse(text).selects(FACTS)


@pytest.mark.parametrize("condition", ["= abc123xyz", "~ abc", "in (abc123xyz)", "< 1"])
def test_a_secret_cannot_be_found_out_by_asking(condition):
    assert Query.parse(f"hub_token {condition}").selects(FACTS) == []


def test_only_the_metrics_that_are_named_are_read_and_at_once():
    asked = []

    def metrics(names):
        asked.append(list(names))
        return FACTS.metrics(names)

    facts = Facts(
        runs=FACTS.runs, params=FACTS.params, metric_names=FACTS.metric_names, metrics=metrics, now_ms=NOW
    )
    Query.parse("lr = 1 or one").selects(facts)
    assert asked == []
    Query.parse("val/loss < 1 or best(test/accuracy) > 1 or min(val/loss) < 1").selects(facts)
    assert asked == [["test/accuracy", "val/loss"]]


def test_no_runs_are_no_trouble():
    nobody = Facts(runs=FACTS.runs.clear(), params=FACTS.params.clear(), verdicts={}, now_ms=NOW)
    assert Query.parse("one or onset or not seed = 1 and duration > 1h").selects(nobody) == []

"""What is offered to somebody who types a query."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas.runs.query import Facts, Names, QueryError, complete, names_of
from grokscope.schemas.runs.query.query import Query


def pairs(*rows):
    return pl.DataFrame(rows, schema=["run_id", "key", "value"], orient="row")


FACTS = Facts(
    runs=pl.DataFrame(
        {"run_id": ["a", "b"], "name": ["x", "y"], "status": ["RUNNING", "FAILED"], "started_ms": [1, 2]}
    ),
    params=pairs(
        ("a", "optimizer", "adam w"),
        ("b", "optimizer", "muon"),
        ("a", "opt.width", "128"),
        ("b", "opt.width", "16"),
        ("a", "name", "shadowed"),
        ("a", "hub_token", "abc123xyz"),
        ("b", "database", "mysql://ann:pw99@h/d"),
        ("a", "my param", "x" * 500),
    ),
    tags=pairs(("a", "bad", "yes"), ("a", "api_key", "abc")),
    metric_names=["test/accuracy", "val loss", "optimizer"],
    metrics=lambda _: pl.DataFrame(),
    verdicts={},
    pattern_words={"fit only": "memorization"},
    now_ms=0,
)
NAMES = names_of(FACTS)


def offered(text, cursor=None, **more):
    return [one.text for one in complete(text, len(text) if cursor is None else cursor, NAMES, **more)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("opt", ["optimizer", "last(optimizer)", "width"]),
        ("OPTI", ["optimizer", "last(optimizer)"]),
        ("nam", ["name", "param.name"]),
        ("lr = 1 and wid", ["width"]),
        ("opt.wi", ["width"]),
        ("not (ta", ["tag.api_key", "tag.bad"]),
        ("my", ["`my param`"]),
        ("optimizer ", ["=", "!=", "<", "<=", ">", ">=", "~", "in", "not in", "and", "or"]),
        ("duration ", ["<", "<=", ">", ">=", "and", "or"]),
        ("seed ", ["and", "or"]),
        ("lr = 1 a", ["and"]),
        ("optimizer = ", ["'adam w'", "muon"]),
        ("optimizer = m", ["muon", "'adam w'"]),
        ("optimizer = 'ad", ["'adam w'"]),
        ("width = ", ["16", "128"]),
        ("optimizer in ", ["("]),
        ("optimizer in (muon, ", ["'adam w'", "muon"]),
        ("tag.bad = ", ["yes"]),
        ("pattern = fi", ["'fit only'"]),
        ("status = r", ["running"]),
        ("started > ", ["1h", "1d", "7d"]),
        ("best(te", ["test/accuracy)"]),
        ("max(", ["optimizer)", "test/accuracy)", "`val loss`)"]),
        ("bes", ["best("]),
        ("lr = = ", []),
        ("\udcff or op", []),
        (") and ", []),
    ],
)
def test_what_may_stand_at_the_cursor_is_offered(text, found):
    assert offered(text)[: len(found)] == found if found else offered(text) == []


def test_a_completion_replaces_the_word_that_the_cursor_stands_in():
    text = "optimizor = muon and opt"
    [first, *_] = complete(text, 5, NAMES)
    assert (first.text, first.kind, first.start, first.end) == ("optimizer", "param", 0, 9)
    assert complete("optimizer = ", 12, NAMES)[0].start == 12
    assert complete("max(test)", 8, NAMES)[0].text == "test/accuracy"


@pytest.mark.parametrize("text", ["hub_token = ", "database = ", "tag.api_key = ", "`my param` = "])
def test_secrets_and_endless_values_are_never_offered(text):
    assert offered(text) == []
    told = str(NAMES)
    assert not any(secret in told for secret in ("abc123xyz", "pw99", "'abc'"))


def test_no_more_is_offered_than_was_asked_for():
    names = Names(params=[f"p{i}" for i in range(100)], values={"p1": [str(i) for i in range(100)]})
    assert [one.text for one in complete("p", 1, names, most=3)] == ["p0", "p1", "p2"]
    assert len(complete("p1 = ", 5, names)) == 20
    many = Facts.of_table(pl.DataFrame({"run_id": [str(i) for i in range(300)], "p": range(300)}))
    assert len(names_of(many).values["p"]) == 50


@given(st.text(st.sampled_from("abopt ()=<>!~,'\"`.1"), max_size=25), st.integers(0, 30))
def test_completing_never_fails_and_only_replaces_what_is_there(text, cursor):
    for one in complete(text, cursor, NAMES):
        assert 0 <= one.start <= min(cursor, len(text)) <= one.end <= len(text)


@given(st.sampled_from(["opt", "my", "na", "tag", "val", "pa", "test"]))
def test_every_name_that_is_offered_can_be_asked_for(typed):
    for one in complete(typed, len(typed), NAMES):
        if one.kind in ("param", "metric", "tag"):
            try:
                Query.parse(f"{one.text} = 1").selects(FACTS)
            except QueryError as error:  # pragma: no cover - the failure that this test is for
                pytest.fail(str(error))
            except pl.exceptions.ColumnNotFoundError:
                assert one.kind == "metric"  # these have no points here

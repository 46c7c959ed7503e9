"""Conditions on params: what they mean, and what is refused."""

import polars as pl
import pytest

from grokscope.schemas.runs.query import Query, QueryError, named_param

RUNS = pl.DataFrame(
    {
        "run_id": ["a", "b", "c", "d"],
        "optimizer": ["adam", "muon", "adam w", None],
        "intervention.protocol.lr": [0.1, 0.01, 0.001, 0.1],
        "batch": ["64", "512", "x", "64"],
        "my param": ["1", "2", "and", "4"],
    }
)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("optimizer = adam", "a"),
        ("optimizer == adam", "a"),
        ("optimizer != adam", "bc"),
        ("optimizer = 'adam w'", "c"),
        ('optimizer = "adam w"', "c"),
        ("optimizer=adam", "a"),
        ("optimizer in (adam, muon)", "ab"),
        ("lr = 1e-1", "ad"),
        ("params.lr >= 0.01", "abd"),
        ("lr>=.01 and lr<.1", "b"),
        ("learning_rate > 0.001 AND optimizer = muon", "b"),
        ("batch < 100", "ad"),
        ("batch = 64.0", "ad"),
        ("batch = x", "c"),
        ("`my param` = 'and' and lr < 1", "c"),
    ],
)
def test_conditions_choose_runs(text, runs):
    assert "".join(Query.parse(text).of(RUNS)["run_id"]) == runs


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "optimizer",
        "= adam",
        "optimizer =",
        "optimizer = adam and",
        "and lr = 1",
        "lr in 1",
        "x" * 4001,
    ],
)
def test_what_is_no_condition_is_refused_in_one_sentence(text):
    with pytest.raises(QueryError) as refused:
        Query.parse(text)
    assert "\n" not in str(refused.value)


def test_a_text_is_not_less_than_another():
    with pytest.raises(QueryError, match="optimizer < needs a number, got 'b'"):
        Query.parse("optimizer < b").of(RUNS)


def test_a_param_that_the_runs_do_not_have_is_named_with_those_that_they_have():
    with pytest.raises(QueryError, match="the runs have no param 'width'; they have batch, "):
        Query.parse("width = 1").of(RUNS)


def test_a_param_may_go_by_its_last_part_unless_two_have_it():
    assert named_param("depth", ["model.depth", "seed"]) == "model.depth"
    assert named_param("foo", ["a.foo", "seed"]) == "a.foo"
    with pytest.raises(QueryError, match=r"'foo' may be any of a\.foo, b\.foo; give its whole name"):
        named_param("foo", ["a.foo", "b.foo"])


def test_nothing_is_less_than_no_number():
    with pytest.raises(QueryError, match="lr < needs a number, got 'nan'"):
        Query.parse("lr < nan").of(pl.DataFrame({"run_id": ["a"], "lr": [1.0]}))

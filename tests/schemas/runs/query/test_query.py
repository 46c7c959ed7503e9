"""Conditions on the columns of a table of runs: what they mean, and what is refused."""

import polars as pl
import pytest

from grokscope.schemas.runs.query import Query, QueryError, named_param

RUNS = pl.DataFrame(
    {
        "run_id": ["a", "b", "c", "d"],
        "name": ["wd 1 seed 0", "wd 1 seed 1", "Baseline", None],
        "optimizer": ["adam", "muon", "adam w", None],
        "intervention.protocol.lr": [0.1, 0.01, 0.001, 0.1],
        "batch": ["64", "512", "x", "64"],
        "my param": ["1", "2", "and", "4"],
        "betas": ["(0.9, 0.999)", "0.9,0.95", "nan", None],
        "nesterov": ["True", "False", "true", None],
        "onset_rule": ["a", "a", "b", "b"],
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
        ("optimizer in (adam w, muon)", "bc"),
        ("optimizer not in (adam, muon)", "c"),
        ("optimizer IN(adam)", "a"),
        ("lr = 1e-1", "ad"),
        ("params.lr >= 0.01", "abd"),
        ("lr>=.01 and lr<.1", "b"),
        ("learning_rate > 0.001 AND optimizer = muon", "b"),
        ("batch < 100", "ad"),
        ("batch = 64.0", "ad"),
        ("batch = x", "c"),
        ("`my param` = 'and' and lr < 1", "c"),
        ("'my param' = 2", "b"),
        ("optimizer ~ ADAM", "ac"),
        ("optimizer ~ '.'", ""),
        ("betas = (0.9, 0.999)", "a"),
        ("betas = 0.9,0.95", "b"),
        ("betas > -1", ""),
        ("nesterov = true", "ac"),
        ("nesterov = 'True'", "ac"),
        ("not optimizer = adam", "bcd"),
        ("not not optimizer = adam", "a"),
        ("optimizer = adam or batch = 512 and lr = 1", "a"),
        ("(optimizer = adam or batch = 512) and lr = .01", "b"),
        ("seed", "ab"),
        ("'seed 1' or BASE", "bc"),
        ("not seed", "cd"),
        ("param.optimizer", "abc"),
        ("`optimizer`", "abc"),
        ("onset_rule = a", "ab"),
    ],
)
def test_conditions_choose_runs(text, runs):
    assert "".join(Query.parse(text).of(RUNS)["run_id"]) == runs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at 1: got the end, expected a condition such as lr > 1e-3, or a part of a run's name"),
        (" ", "at 2: got the end, expected a condition"),
        ("= adam", "at 1: got '=', expected a condition"),
        ("optimizer =", "at 12: got the end, expected a value"),
        ("optimizer = adam and", "at 21: got the end, expected a condition"),
        ("and lr = 1", "at 1: got 'and', expected a condition"),
        ("a or or b", "at 6: got 'or', expected a condition"),
        ("lr in 1", "at 7: got '1', expected values in brackets: in (A, B)"),
        ("lr in ()", "at 8: got ')', expected a value"),
        ("lr in (1", "at 9: got the end, expected ',' or ')'"),
        ("lr not 1", "at 4: got 'not', expected =, !=, <, <=, >, >=, ~ or in"),
        (
            "optimizer = adam w",
            "at 18: got 'w', expected 'and', 'or' or the end; a text with spaces or signs",
        ),
        ("seed 0", "at 6: got '0', expected =, !=, <, <=, >, >=, ~, in, 'and', 'or' or the end; a text with"),
        ("(lr = 1", "at 8: got the end, expected 'and', 'or' or ')'"),
        ("lr = 1)", "at 7: got ')', expected 'and', 'or' or the end"),
        ("lr = 'a", "at 6: the quote ' is not closed; close it"),
        ("last() > 1", "at 6: got ')', expected the name of a metric"),
        ("last(a > 1", "at 11: got the end, expected ')'"),
        ("`` = 1", "at 1: got '``', expected a condition"),
        ("lr = \udcff", "at 6: what stands here is no character; remove it"),
        ("x" * 4001, "a query has at most 4,000 characters, got 4,001; shorten it"),
        ("(" * 51 + "a" + ")" * 51, "at 51: brackets stand at most 50 deep; use fewer"),
    ],
)
def test_what_is_no_query_is_refused_in_one_sentence_that_says_where(text, said):
    with pytest.raises(QueryError) as refused:
        Query.parse(text)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optimizer < b", "at 11: optimizer < needs a number, got 'b'"),
        ("lr < nan", "at 4: lr < needs a number, got 'nan'"),
        ("width = 1", "at 1: 'width' is no param, metric, tag or field; there are 'batch', 'betas', 'inter"),
        (
            "lr = 1 and optimzer = 1",
            "at 12: 'optimzer' is no param, metric, tag or field; closest: 'optimizer'",
        ),
        ("param.optimzer = 1", "at 1: no run has a param 'optimzer'; closest: 'optimizer'"),
        ("last(loss) > 1", "at 1: no run has a metric 'loss'"),
        (
            "not tag.bad",
            "at 5: 'tag.bad' asks for a tag, and of these runs no tags are known; ask for params",
        ),
        ("onset < 5000", "at 1: 'onset' is not known of these runs"),
        ("duration > 2h", "at 1: 'duration' is not known of these runs"),
        ("status = finished", "at 1: 'status' is not known of these runs"),
    ],
)
def test_what_the_runs_do_not_have_is_named_with_what_comes_closest(text, said):
    with pytest.raises(QueryError) as refused:
        Query.parse(text).of(RUNS)
    assert str(refused.value).startswith(said)
    assert refused.value.place == int(said.removeprefix("at ").partition(":")[0]) - 1


def test_a_param_may_go_by_its_last_part_unless_two_have_it():
    assert named_param("depth", ["model.depth", "seed"]) == "model.depth"
    assert named_param("foo", ["a.foo", "seed"]) == "a.foo"
    with pytest.raises(QueryError, match=r"'foo' may be any of a\.foo, b\.foo; give its whole name"):
        named_param("foo", ["a.foo", "b.foo"])
    two = pl.DataFrame({"run_id": ["a"], "a.foo": [1], "b.foo": [1]})
    with pytest.raises(QueryError, match=r"at 1: 'foo' may be any of 'a\.foo', 'b\.foo'; give its whole"):
        Query.parse("foo = 1").of(two)
    assert Query.parse("b.foo = 1").of(two).height == 1

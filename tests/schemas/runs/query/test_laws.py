"""Laws of queries: any text is read or refused, what is rendered reads the same, and logic is logic."""

import math

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas import Date, Pattern, Verdict
from grokscope.schemas.runs.query import Facts, Query, QueryError
from grokscope.schemas.runs.query.conditions import (
    FUNCTIONS,
    AllOf,
    AnyOf,
    Comparison,
    Mention,
    Not,
    Presence,
    Term,
    all_of,
    any_of,
    negated,
)

ORDERS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
TEXTS = st.sampled_from(["0.1", "1", "adam", "Adam w", "nan", "", "True", "it's", "1e-3"])
LIMITS = st.sampled_from(["0", "0.1", "1", "2.5"])

PARTS = st.sampled_from([*"ab ()=<>!~,'\"`.\t\n", "and ", "or ", "not ", "in ", "last(", " = ", "tag."])
queries = st.lists(PARTS, max_size=30).map("".join)


@given(st.text(max_size=60) | queries)
def test_any_text_is_read_or_refused_and_what_is_read_renders_the_same(text):
    try:
        query = Query.parse(text)
    except QueryError:
        return
    assert Query.parse(str(query)) == query
    assert str(Query.parse(str(query))) == str(query)


def _comparisons(names, values, signs):
    one = st.builds(
        lambda name, sign, value: Comparison(term=Term(name=name), sign=sign, values=(value,)),
        names, st.sampled_from(signs), values,
    )  # fmt: skip
    lists = st.builds(
        lambda name, sign, some: Comparison(term=Term(name=name), sign=sign, values=tuple(some)),
        names, st.sampled_from(["in", "not in"]), st.lists(values, min_size=1, max_size=3),
    )  # fmt: skip
    return one | lists


PARAMS, TAGS, METRICS = ["optimizer", "my param", "x"], ["bad"], ["test/accuracy", "val/loss"]
metric_terms = st.builds(Term, name=st.sampled_from(METRICS), function=st.sampled_from(FUNCTIONS))
texts_of = st.sampled_from([*PARAMS, "tag.bad", "param.x"])
conditions = (
    _comparisons(texts_of, TEXTS, ["=", "!=", "~"])
    | _comparisons(texts_of, LIMITS, list(ORDERS))
    | _comparisons(st.just("onset"), LIMITS, [*ORDERS, "=", "!="])
    | _comparisons(st.just("pattern"), st.sampled_from([*Pattern]).map(str), ["=", "!="])
    | st.builds(
        lambda term, sign, value: Comparison(term=term, sign=sign, values=(value,)),
        metric_terms, st.sampled_from([*ORDERS, "="]), LIMITS,
    )
    | st.builds(Presence, term=metric_terms | st.sampled_from([Term(name="onset"), Term(name="tag.bad")]))
    | st.builds(Mention, text=st.sampled_from(["a", "B", "onset", "it's", "and"]))
)  # fmt: skip
clauses = st.recursive(
    conditions,
    lambda some: (
        some.map(negated)
        | st.lists(some, min_size=2, max_size=3).map(lambda parts: all_of(*parts))
        | st.lists(some, min_size=2, max_size=3).map(lambda parts: any_of(*parts))
    ),
    max_leaves=6,
)

numbers = st.none() | st.sampled_from([0.0, 0.1, 1.0, 2.5, math.nan])
ends = st.fixed_dictionaries({"last": numbers, "min": numbers, "max": numbers})
runs = st.fixed_dictionaries(
    {
        "name": st.none() | st.sampled_from(["a b", "Baseline", "onset it's"]),
        "params": st.dictionaries(st.sampled_from(PARAMS), TEXTS),
        "tags": st.dictionaries(st.sampled_from(TAGS), st.sampled_from(["true", "No", "", "0", "0.1"])),
        "metrics": st.dictionaries(st.sampled_from(METRICS), ends),
        "pattern": st.none() | st.sampled_from([*Pattern]),
        "onset": st.none() | st.integers(0, 3),
    }
)


def facts_of(some):
    def long(field):
        rows = [(str(at), key, value) for at, run in enumerate(some) for key, value in run[field].items()]
        return pl.DataFrame(rows, schema=dict.fromkeys(("run_id", "key", "value"), pl.String), orient="row")

    ends = [
        {"run_id": str(at), "metric": metric, **values}
        for at, run in enumerate(some)
        for metric, values in run["metrics"].items()
    ]
    schema = {
        "run_id": pl.String,
        "metric": pl.String,
        "last": pl.Float64,
        "min": pl.Float64,
        "max": pl.Float64,
    }
    # A run that has nothing else, so that every name is known.
    names = pl.DataFrame(
        [("~", name, "") for name in PARAMS], schema=["run_id", "key", "value"], orient="row"
    )
    return Facts(
        runs=pl.DataFrame(
            {"run_id": list(map(str, range(len(some)))), "name": [run["name"] for run in some]},
            schema={"run_id": pl.String, "name": pl.String},
        ),
        params=pl.concat([long("params"), names]),
        tags=long("tags"),
        metric_names=METRICS,
        metrics=lambda _: pl.DataFrame(ends, schema=schema),
        verdicts={str(at): verdict(run) for at, run in enumerate(some) if run["pattern"]},
        now_ms=0,
    )


def verdict(run):
    onset = run["onset"]
    dated = None if onset is None else Date(step=onset, low=onset, high=onset)
    return Verdict(run="", pattern=run["pattern"], onset=dated)


def number(text):
    try:
        found = float(text)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(found) else found


def value_of(run, term):
    if term.function:
        best = {"test/accuracy": "max", "val/loss": "min"}[term.name]
        which = best if term.function == "best" else term.function
        return number(run["metrics"].get(term.name, {}).get(which))
    if term.name in ("pattern", "onset"):
        return None if run["pattern"] is None else run[term.name]
    kind, name = term.name.split(".") if "." in term.name else ("param", term.name)
    return run[f"{kind}s"].get(name)


def holds(clause, run):
    """Decide one run in plain Python, for the vectorised evaluation to be compared with."""
    if isinstance(clause, Not):
        return not holds(clause.clause, run)
    if isinstance(clause, AllOf | AnyOf):
        return (all if isinstance(clause, AllOf) else any)([holds(one, run) for one in clause.clauses])
    if isinstance(clause, Mention):
        return run["name"] is not None and clause.text.lower() in run["name"].lower()
    return _holds(clause, value_of(run, clause.term))


def _holds(clause, value):
    if isinstance(clause, Presence):
        is_no = clause.term.name.startswith("tag.") and str(value).lower() in ("", "0", "false", "no")
        return value is not None and not is_no
    return value is not None and _compares(clause, value)


def _compares(clause, value):
    if clause.sign in ORDERS:
        return number(value) is not None and ORDERS[clause.sign](number(value), float(clause.values[0]))
    if clause.sign == "~":
        return clause.values[0].lower() in value.lower()
    same = any(_same(value, wanted) for wanted in clause.values)
    return same if clause.sign in ("=", "in") else not same


def _same(value, wanted):
    flags = ("true", "false")
    is_flag = str(value).lower() == wanted.lower() and wanted.lower() in flags
    return str(value) == wanted or is_flag or (number(value) is not None and number(value) == number(wanted))


def chosen(clause, facts):
    return Query(clause=clause).selects(facts)


@given(clauses)
def test_a_rendered_query_reads_the_same(clause):
    assert Query.parse(str(Query(clause=clause))).clause == clause


@given(clauses, st.lists(runs, max_size=4))
def test_all_runs_at_once_are_decided_as_each_by_itself(clause, some):
    assert chosen(clause, facts_of(some)) == [str(at) for at, run in enumerate(some) if holds(clause, run)]


@given(clauses, clauses, st.lists(runs, max_size=4))
def test_twice_not_is_nothing_and_de_morgan_holds(a, b, some):
    facts = facts_of(some)
    assert Query.parse(f"not not ({a})") == Query(clause=a)
    assert chosen(Not(clause=Not(clause=a)), facts) == chosen(a, facts)
    assert chosen(negated(all_of(a, b)), facts) == chosen(any_of(negated(a), negated(b)), facts)
    assert chosen(negated(any_of(a, b)), facts) == chosen(all_of(negated(a), negated(b)), facts)

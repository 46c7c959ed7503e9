"""Runs of a real store that a query chooses: by params, tags, times, curves and verdicts."""

import polars as pl
import pytest
from mlflow.tracking import MlflowClient

from grokscope.answers import Asked, QuestionError, StoreReader, as_text, ask
from grokscope.answers.runs.stored import facts_in_store, runs_in_store
from grokscope.schemas.runs.query import Query, QueryError
from grokscope.store import open_store

NOW_MS = 1_045_000
NEVER = ["decay 0 seed 0", "decay 0 seed 1"]
BY_QUERY = {
    "wd = 0": ["decay 0 seed 0", "decay 0 seed 1", "decay 0 seed 2"],
    "wd = 0 and not generalized": NEVER,
    "pattern = 'fit only'": NEVER,
    "tag.bad": ["decay 1 seed 2"],
    "status = running": ["decay 0 seed 0"],
    "last(test/accuracy) < 0.5": NEVER,
    "best(test/accuracy) < 0.5 and duration > 40s": ["decay 0 seed 0"],
    "ended >= 15s": [
        "decay 0 seed 1",
        "decay 0 seed 2",
        "decay 1 seed 0",
        "decay 1 seed 1",
        "decay 1 seed 2",
    ],
    "group ~ 'decay 1' and seed in (0, 1)": ["decay 1 seed 0", "decay 1 seed 1"],
}


@pytest.fixture(scope="module")
def uri(sweep, tmp_path_factory):
    path = tmp_path_factory.mktemp("where") / "mlflow.db"
    path.write_bytes(sweep.read_bytes())
    uri = f"sqlite:///{path}"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("sweep").experiment_id
    [run] = client.search_runs([experiment], "attributes.run_name = 'decay 1 seed 2'")
    client.set_tag(run.info.run_id, "bad", "yes")
    return uri


@pytest.fixture(scope="module")
def reader(uri):
    return StoreReader(uri, clock_ms=lambda: NOW_MS, pattern_words={"fit only": "memorization"})


@pytest.mark.parametrize("text", BY_QUERY)
def test_an_experiment_is_read_with_only_the_runs_that_are_chosen(reader, text):
    found = reader.read("sweep", where=Query.parse(text))
    assert sorted(run.name for run in found.runs) == BY_QUERY[text]
    ids = {run.run_id for run in found.runs}
    assert set(found.curves["run_id"]) == set(found.points_of("test/accuracy")["run_id"]) == ids


@pytest.mark.parametrize("text", [text for text in BY_QUERY if "only" not in text])
def test_compared_runs_are_chosen_as_answers_choose_them(uri, reader, text):
    store, query = open_store(uri), Query.parse(text)
    try:
        found = runs_in_store(store, "sweep", metrics=["test/accuracy"])
        facts = facts_in_store(store, "sweep", reader=reader, query=query)
        chosen = found.where(query, facts)
    finally:
        store.close()
    assert sorted(chosen.runs["name"]) == BY_QUERY[text]
    assert (
        chosen.curves.filter(pl.col("metric") == "test/accuracy")["run_id"].n_unique() == chosen.runs.height
    )


def test_an_answer_says_that_it_counts_some_runs_only(reader):
    answer = ask("did_it_generalize", reader, Asked(where=Query.parse("wd = 0"), by="wd"))
    told = as_text(answer).splitlines()[0]
    assert told.startswith("1 of 3 runs of 'sweep' that can be judged generalized. ")
    assert "Counted are only the runs for which this holds: 'wd = 0'." in told


def test_a_query_that_chooses_nothing_or_cannot_be_decided_is_one_sentence(reader):
    with pytest.raises(QuestionError, match=r"^none of the 6 runs is so; ask for others$"):
        ask("when", reader, Asked(where=Query.parse("wd = 7")))
    with pytest.raises(QueryError, match="at 1: 'wdd' is no param, metric, tag or field; closest: 'wd'"):
        ask("when", reader, Asked(where=Query.parse("wdd = 7")))
    with pytest.raises(QuestionError, match="what_happened_since is not narrowed by where"):
        ask("what_happened_since", reader, Asked(where=Query.parse("wd = 7"), since_ms=0))

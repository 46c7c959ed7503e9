"""The digest: what counts since a time, to the millisecond."""

import sqlite3

import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.answers import Asked, QuestionError, StoreReader, as_text, ask, since_ms
from grokscope.schemas import Kind

NAME = "what_happened_since"
BEGAN_MS, NOW_MS = 1_000_000, 1_045_000


def digest(path, since, *, now_ms=NOW_MS, **asked):
    reader = StoreReader(f"sqlite:///{path}", clock_ms=lambda: now_ms)
    return ask(NAME, reader, Asked(since_ms=since, **asked))


def counts(answer):
    return {number.what: number.value for number in answer.numbers}


def test_runs_count_from_the_millisecond_on_in_which_they_began_or_ended(sweep):
    assert counts(digest(sweep, BEGAN_MS))["started"] == 6
    assert counts(digest(sweep, BEGAN_MS + 1))["started"] == 0
    assert counts(digest(sweep, BEGAN_MS + 30_000))["finished"] == 5
    assert counts(digest(sweep, BEGAN_MS + 30_002))["finished"] == 2
    assert counts(digest(sweep, BEGAN_MS + 30_003))["finished"] == 0


def test_a_transition_counts_from_the_evaluation_on_that_closes_its_interval(sweep):
    experiment = StoreReader(f"sqlite:///{sweep}", clock_ms=lambda: NOW_MS).read("sweep")
    evaluations = sorted(experiment.curves["step"].unique())
    closed = [
        next(step for step in evaluations if step >= event.high)
        for run in experiment.runs
        for event in run.verdict.transitions
        if event.kind is Kind.GENERALIZATION
    ]
    last = BEGAN_MS + max(closed)
    assert counts(digest(sweep, last))["generalization"] == closed.count(max(closed))
    assert "generalization" not in counts(digest(sweep, last + 1))
    assert counts(digest(sweep, BEGAN_MS))["generalization"] == len(closed) == 4


def test_it_says_which_groups_got_there_first_and_who_trains_or_is_silent_now(sweep):
    told = as_text(digest(sweep, BEGAN_MS))
    assert told.startswith("Since 1970-01-01 00:16 UTC: 6 runs started, 5 runs finished. 4 generalized: ")
    assert told.index("'weight_decay 1' at step ") < told.index("'weight_decay 0' at step ")
    assert "Now 1 is training." in told
    late = digest(sweep, BEGAN_MS, now_ms=NOW_MS + 10**9)
    assert "Now 0 are training, 1 called running was not heard of for long." in as_text(late)
    assert "no run began or ended" in as_text(digest(sweep, NOW_MS))


def test_runs_that_failed_were_stopped_or_diverged_are_told_apart_over_all_experiments(file):
    client = MlflowClient(f"sqlite:///{file}")
    other = client.create_experiment("other")
    for status in ("FAILED", "KILLED"):
        run = client.create_run(other, run_name=status, start_time=BEGAN_MS).info.run_id
        client.set_terminated(run, status=status, end_time=NOW_MS - 5)
    lost = client.create_run(other, run_name="lost", start_time=BEGAN_MS).info.run_id
    values = [2.0, 1.5, 1.2, 1.1, *[float("nan")] * 4]
    client.log_batch(
        lost, metrics=[Metric("train/loss", v, NOW_MS - 5, 100 * s) for s, v in enumerate(values)]
    )
    client.set_terminated(lost, end_time=NOW_MS - 5)
    answer = digest(file, NOW_MS - 5)
    found = {what: n for what, n in counts(answer).items() if n}
    assert found == {"finished": 1, "failed": 1, "stopped": 1, "divergence": 1, "running now": 1}
    assert any("lost" in line and "divergence" in line for line in answer.evidence)
    assert answer.experiment == ""
    assert counts(digest(file, NOW_MS - 5, experiment="sweep"))["failed"] == 0


def test_points_without_a_time_are_told_as_missing(file):
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE metrics SET timestamp = 0")
    connection.close()
    assert "generalization" not in counts(digest(file, BEGAN_MS))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30m", 10**12 - 30 * 60_000),
        ("12h", 10**12 - 12 * 3_600_000),
        ("1d", 10**12 - 86_400_000),
        ("2w", 10**12 - 14 * 86_400_000),
        ("999999w", 0),
        ("2001-09-09", 999_993_600_000),
        ("2001-09-09T01:46:40+00:00", 10**12),
        ("2001-09-09T03:46:40+02:00", 10**12),
    ],
)
def test_a_time_is_a_duration_or_a_date(text, found):
    assert since_ms(text, now_ms=10**12) == found


@pytest.mark.parametrize("text", ["", "yesterday", "-1d", "1y", "1.5h", "2001-13-01", "9" * 5000 + "d"])
def test_any_other_text_is_refused_with_what_is_allowed(text):
    with pytest.raises(QuestionError, match="a time is 30m, 12h, 1d or 2w ago, or a date such as"):
        since_ms(text, now_ms=10**12)


def test_a_time_that_lies_ahead_is_refused_and_so_is_none():
    with pytest.raises(QuestionError, match="'2030-01-01' lies ahead"):
        since_ms("2030-01-01", now_ms=10**12)
    with pytest.raises(QuestionError, match="since when"):
        ask(NAME, StoreReader("sqlite:///a.db"), Asked())

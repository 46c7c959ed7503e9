"""A verdict lands on its run as tags and as an artifact, and touches nothing else."""

import os
from pathlib import Path

import pytest

from grokscope.schemas import Date, Delay, Pattern, Verdict, verdict_from_json
from grokscope.store import RunNotFoundError
from grokscope.store.verdict_tags import tags_of


def grokked(run):
    return Verdict(
        run=run,
        pattern=Pattern.GROKKING,
        memorized=Date(step=100, low=75, high=100),
        onset=Date(step=500, low=400, high=550),
        midpoint=Date(step=975, low=950, high=1000),
        generalized=Date(step=1200, low=1100, high=1300),
        delay=Delay(steps=875, ratio=9.75),
        definition="s-curve",
        detector="grokscope 0.1.0",
    )


def ours(client, run):
    return {k: v for k, v in client.get_run(run).data.tags.items() if k.startswith("grokscope.")}


def test_a_verdict_is_read_back_by_mlflows_client_as_tags_and_artifact(store, client, new_run):
    run = new_run()
    store.write_verdict(grokked(run))
    assert ours(client, run) == {
        "grokscope.pattern": "grokking",
        "grokscope.onset_step": "500",
        "grokscope.memorized_step": "100",
        "grokscope.generalized_step": "1200",
        "grokscope.delay_ratio": "9.75",
        "grokscope.detector": "grokscope 0.1.0",
        "grokscope.verdict_digest": tags_of(grokked(run))["grokscope.verdict_digest"],
    }
    artifact = Path(client.download_artifacts(run, "grokscope/verdict.json"))
    assert verdict_from_json(artifact.read_text("utf-8")) == grokked(run)


def test_a_later_verdict_without_a_date_removes_its_tag_and_leaves_a_persons_review(store, client, new_run):
    run = new_run()
    client.set_tag(run, "grokscope.review.onset_step", "480")
    client.set_tag(run, "grokscope.last_seen", "1")
    store.write_verdict(grokked(run))
    later = Verdict(run=run, pattern=Pattern.MEMORIZATION, in_progress=True)
    store.write_verdict(later)
    assert ours(client, run) == {
        **tags_of(later),
        "grokscope.review.onset_step": "480",
        "grokscope.last_seen": "1",
    }


def test_a_verdict_for_a_run_that_is_not_there_is_refused(store, client, new_run):
    run = new_run()
    client.delete_run(run)
    with pytest.raises(RunNotFoundError, match="is deleted"):
        store.write_verdict(grokked(run))
    with pytest.raises(RunNotFoundError, match="'nobody' does not exist"):
        store.write_verdict(grokked("nobody"))


def test_writing_leaves_the_users_environment_as_it_was(store, new_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    before = dict(os.environ)
    store.write_verdict(grokked(new_run()))
    assert {k: v for k, v in os.environ.items() if k.startswith("MLFLOW_HTTP")} == {
        k: v for k, v in before.items() if k.startswith("MLFLOW_HTTP")
    }

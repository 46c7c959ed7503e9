"""``grokscope ask`` and ``grokscope digest``: what they print, and how they end."""

import json
import shutil
from pathlib import Path

import pytest
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run


@pytest.fixture(scope="module")
def uri(blank_store, tmp_path_factory) -> str:
    path = Path(shutil.copy(blank_store, tmp_path_factory.mktemp("ask") / "mlflow.db"))
    client = MlflowClient(f"sqlite:///{path}")
    experiment = client.create_experiment("e")
    rows = synthetic_run(CurveRecipe(evaluations=40)).select("metric", "value", "step").rows()
    run = client.create_run(experiment, run_name="\x1b[31mred", start_time=1_000_000).info.run_id
    metrics = [Metric(metric, value, 1_000_000 + step, step) for metric, value, step in rows]
    client.log_batch(run, metrics=metrics, params=[Param("lr", "0.1")])
    client.set_terminated(run, end_time=1_030_000)
    return f"sqlite:///{path}"


def test_an_answer_is_a_paragraph_or_one_json_object_or_markdown(grokscope, uri):
    status, out, err = grokscope("ask", "did-it-generalize", uri)
    assert (status, err) == (0, "")
    assert out.startswith("1 of 1 runs of 'e' that can be judged generalized.\n")
    assert out.endswith(f"See /compare?experiment=e in the app: grokscope up --store {uri}\n")
    found = json.loads(grokscope("ask", "did_it_generalize", uri, "--format", "json")[1])
    assert (found["question"], found["experiment"]) == ("did_it_generalize", "e")
    page = grokscope("ask", "did_it_generalize", uri, "--by", "lr", "--format", "markdown")[1]
    assert page.startswith("1 of 1 runs of `e` that can be judged generalized.\n\nNumbers:\n\n- ")


def test_runs_are_asked_about_that_a_query_chooses(grokscope, uri):
    status, out, err = grokscope("ask", "when", uri, "--where", "pattern = 'generalized late' and lr < 1")
    assert (status, err) == (0, "")
    assert "Counted are only the runs for which this holds: " in out


def test_a_name_that_a_terminal_would_obey_is_written_out(grokscope, uri):
    for form in ("text", "json", "markdown"):
        out = grokscope("ask", "when", uri, "--run", "\x1b[31mred", "--format", form)[1]
        assert "\x1b" not in out
        assert "x1b[31mred" in out


def test_a_digest_says_what_happened_since_a_time(grokscope, uri):
    status, out, _ = grokscope("digest", uri, "--since", "1970-01-01")
    assert status == 0
    said = "Since 1970-01-01 00:00 UTC: 1 run started, 1 run finished. 1 generalized: '\\x1b[31mred'."
    assert out.startswith(said)
    told = grokscope("digest", uri)[1].partition("UTC: ")[2]
    assert told.startswith("no run began or ended. Now 0 are training.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ask", "why"], "there is no question 'why'; ask one of did_it_generalize, when, cheapest"),
        (
            ["ask", "when", "--since", "1d"],
            "when is not narrowed by since; it takes experiment",
        ),
        (["ask", "when", "--where", "lr > 1"], "none of the 1 runs is so; ask for others"),
        (["ask", "when", "--where", "lr >"], "at 5: got the end, expected a value"),
        (["ask", "when", "--by", "wd"], "the runs have no param 'wd'; they have lr"),
        (["ask", "when", "--target", "loss"], "a target is METRIC>=VALUE or METRIC<=VALUE, got 'loss'"),
        (
            ["ask", "cheapest", "--count-in", "tokens"],
            "no run of 'e' counts tokens (a metric progress/tokens)",
        ),
        (["digest", "--since", "tomorrow"], "a time is 30m, 12h, 1d or 2w ago, or a date such as"),
        (["digest", "--experiment", "f"], "no experiment 'f' with runs in the store; there: 'e'"),
    ],
)
def test_what_is_wrong_ends_with_one_sentence_and_status_2(grokscope, uri, monkeypatch, arguments, sentence):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    command, *rest = arguments
    question = rest[:1] if command == "ask" else []
    status, out, err = grokscope(command, *question, uri, *rest[len(question) :])
    assert (status, out) == (2, "")
    assert err.startswith(f"grokscope: {sentence}")
    assert err.count("\n") == 1

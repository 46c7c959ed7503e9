"""``grokscope experiments``: the list, one in detail, and arms trained and judged."""

import json

import pytest

from grokscope.cli.experiments.results import ArmResult, say_results, say_results_as_json, say_results_as_page
from grokscope.experiments.catalogue import EXPERIMENTS
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.schemas import Kind, Pattern, Transition, Verdict

EXPERIMENT = EXPERIMENTS["modular-arithmetic"]


def test_all_experiments_are_listed_with_their_event_their_runs_and_their_seconds(grokscope):
    status, out, _ = grokscope("experiments")
    assert status == 0
    assert out.split()[:5] == ["experiment", "trains", "event", "runs", "s"]
    assert all(f"\n{name}"[:12] in out for name in EXPERIMENTS)


def test_one_is_shown_with_its_source_its_arms_and_its_settings(grokscope):
    status, out, _ = grokscope("experiments", "modular-arithmetic")
    assert status == 0
    assert f"source: {EXPERIMENT.source}" in out
    assert "25 % of the data" in out
    assert "train_fraction=0.25" in out
    assert "share of the table that is trained on" in out


def test_json_has_one_object_an_experiment_with_all_there_is_to_set(grokscope):
    status, out, _ = grokscope("experiments", "--format", "json")
    assert status == 0
    told = {one["name"]: one for one in map(json.loads, out.splitlines())}
    assert list(told) == list(EXPERIMENTS)
    mine = told["modular-arithmetic"]
    assert mine["settings"]["train_fraction"] == 0.5
    assert mine["arms"][1] == {
        "group": "no weight decay",
        "seeds": 3,
        "settings": {"weight_decay": 0.0},
        "is_control": True,
        "event": "memorizes only",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("modular-arithmetik",), "no experiment 'modular-arithmetik'; closest: 'modular-arithmetic'"),
        (("--format", "markdown"), "add --train"),
        (("x",), "'grokscope experiments' lists all"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(grokscope, arguments, said):
    status, out, err = grokscope("experiments", *arguments)
    assert (status, out) == (2, "")
    assert said in " ".join(err.replace("│", " ").split())


def verdict(pattern=Pattern.OTHER, *events) -> Verdict:
    transitions = [
        Transition(run_id="r", kind=kind, metric=metric, step=5, low=4, high=6) for kind, metric in events
    ]
    return Verdict(run="r", pattern=pattern, transitions=transitions)


def test_an_expectation_is_of_patterns_and_of_events_on_a_curve():
    rises = Expectation(
        says="rises",
        patterns=frozenset({Pattern.GROKKING, Pattern.OTHER}),
        kinds=frozenset({Kind.PHASE_CHANGE}),
        without=frozenset({Kind.COLLAPSE}),
        metric="score",
    )
    rise, fall, elsewhere = (
        (Kind.PHASE_CHANGE, "score"),
        (Kind.COLLAPSE, "score"),
        (Kind.COLLAPSE, "test/accuracy"),
    )
    assert rises.is_met_by(verdict(Pattern.OTHER, rise, elsewhere))
    assert not rises.is_met_by(verdict(Pattern.OTHER, rise, fall))
    assert not rises.is_met_by(verdict(Pattern.OTHER, (Kind.PHASE_CHANGE, "test/accuracy")))
    assert not rises.is_met_by(verdict(Pattern.MEMORIZATION, rise))


def test_an_expectation_that_any_run_meets_is_refused():
    with pytest.raises(ValueError, match=r"any run would be found to be as expected \(x\); give patterns"):
        Expectation(says="x", metric="test/loss")


@pytest.fixture
def results():
    groks = Expectation(says="groks", patterns=frozenset({Pattern.GROKKING}))
    arms = (Arm(group="a|b", expects=groks), Arm(group="none", expects=groks, is_control=True))
    experiment = Experiment(
        name="e",
        title="T",
        event="grokking",
        source="S",
        recipe=EXPERIMENT.recipe,
        prepare=EXPERIMENT.prepare,
        arms=arms,
        seconds=1,
    )
    first = ArmResult(
        experiment=experiment,
        arm=arms[0],
        verdicts=[verdict(Pattern.GROKKING), verdict(Pattern.MEMORIZATION)],
        seconds=[1.0, 3.0],
        failed=1,
    )
    return [first, ArmResult(experiment=experiment, arm=arms[1])]


def test_a_run_that_failed_counts_as_one_that_did_not_do_it(results, capsys):
    say_results(results)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["e", "a|b", "3", "groks", "1", "of", "3", "2.0"],
        ["e", "none", "0", "groks", "0", "of", "0", "–"],
    ]


def test_results_as_json_tell_patterns_and_what_failed(results, capsys):
    say_results_as_json(results)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "experiment": "e",
        "arm": "a|b",
        "is_control": False,
        "n": 3,
        "event": "groks",
        "found": 1,
        "failed": 1,
        "patterns": {"grokking": 1, "memorization": 1},
        "seconds": 2.0,
    }
    assert (second["seconds"], second["is_control"]) == (None, True)


def test_the_page_has_a_row_an_arm_and_a_section_an_experiment(results, capsys):
    say_results_as_page(results)
    page = capsys.readouterr().out
    assert "1 of 3 runs did what is expected; they took 0 minutes of a process." in page
    assert "| [e](#e) | a\\|b | 3 | groks | 1 | 2.0 |\n| [e](#e) | *none* | 0 | groks | 0 | – |\n" in page
    assert page.endswith("\n## e\n\nT. Event: grokking. Source: S.\n")

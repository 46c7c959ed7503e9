"""All experiments: each is complete, prepares, takes a step, and stands on the page of the docs."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.catalogue import EXPERIMENTS
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

PAGE = Path(__file__).parents[2] / "docs/experiments.md"
ARMS = [(one, arm) for one in EXPERIMENTS.values() for arm in one.arms]
WITHOUT_TRAINING_SET = ("induction-heads", "markov-chains")
"""Their sequences are drawn anew at each step."""
each_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda one: one.name)


def one_step(experiment):
    return {"steps": 1} | ({"sparse_steps": 1} if experiment.name == "sparse-first" else {})


@each_experiment
def test_an_experiment_says_what_it_is_and_has_an_arm_that_shows_its_event(experiment):
    assert experiment.name == experiment.name.lower().replace(" ", "-").replace("_", "-")
    assert all((experiment.title, experiment.event, experiment.source))
    assert not any(text.endswith(".") for text in (experiment.title, experiment.event, experiment.source))
    assert not all(arm.is_control for arm in experiment.arms)
    assert len({arm.group for arm in experiment.arms}) == len(experiment.arms)
    assert all(arm.seeds >= 3 for arm in experiment.arms)


@pytest.mark.parametrize(("experiment", "arm"), ARMS, ids=lambda one: getattr(one, "name", None) or one.group)
def test_an_arms_settings_are_those_of_the_recipe_and_of_their_types(experiment, arm):
    default = experiment.recipe()
    names = {one.name for one in fields(default) if "axis" in one.metadata}
    assert set(arm.settings) <= names
    assert {name: type(value) for name, value in arm.settings.items()} == {
        name: type(getattr(default, name)) for name in arm.settings
    }


@each_experiment
def test_settings_are_logged_on_the_surveys_axes_each_under_a_name_of_its_own(experiment):
    # With Muon and Grokfast every setting is in use.
    recipe = experiment.recipe(optimizer="muon", grokfast=1.0)
    count = sum("axis" in one.metadata for one in fields(recipe))
    facts = sum(len(values) for values in recipe.FACTS.values())
    assert len(recipe.describe().to_params()) == 3 + count + facts


@each_experiment
def test_an_experiment_trains_a_step_and_logs_its_test_set_and_its_training_set_if_it_has_one(experiment):
    recipe = experiment.recipe(group="g", seed=1, **one_step(experiment))
    sink = MemorySink()
    train(experiment.prepare(recipe), recipe, Run(to=Destination(experiment="e"), sink=sink))
    keys = {key for _, key, _ in sink.rows()}
    assert "test/loss" in keys
    assert ("train/loss" in keys) == (experiment.name not in WITHOUT_TRAINING_SET)
    assert {step for step, _, _ in sink.rows()} == {0, 1}
    assert sink.status == "FINISHED"
    assert not sink.failed


@each_experiment
def test_a_seed_makes_the_same_run_again_and_another_another(experiment):
    def begun(seed):
        recipe = experiment.recipe(group="g", seed=seed, **one_step(experiment))
        training = experiment.prepare(recipe)
        # The weights too: in half precision two losses may be rounded to one.
        return training.loss_of(0).item(), [one.double().sum().item() for one in training.model.parameters()]

    first = begun(0)
    assert begun(0) == first
    assert begun(1) != first


def test_the_list_needs_no_scikit_learn():
    script = (
        "import sys; sys.modules['sklearn'] = None; from grokscope.experiments.catalogue import EXPERIMENTS"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_page_tells_of_every_arm():
    page = PAGE.read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| [")]
    told = {(row[0].partition("](#")[0].removeprefix("| ["), row[1].strip("*")) for row in rows}
    assert told == {(one.name, arm.group) for one, arm in ARMS}
    assert all(f"## {name}\n" in page for name in EXPERIMENTS)

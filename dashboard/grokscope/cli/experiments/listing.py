"""The experiments in words: a list of all, and one with its settings and arms."""

import json
from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches

from grokscope.cli.terminal import say, say_json, say_table
from grokscope.experiments.catalogue import EXPERIMENTS
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.experiments.recipe import Recipe
from grokscope.schemas import GrokscopeError
from grokscope.schemas.runs.description import Value


class UnknownExperimentError(GrokscopeError):
    """A name that no experiment has."""


def named(names: Sequence[str]) -> list[Experiment]:
    """Return the experiments called so, each once; all of them without a name.

    Raises:
        UnknownExperimentError: If there is none of a name.

    >>> [one.name for one in named(["modular-arithmetic", "modular-arithmetic"])]
    ['modular-arithmetic']
    """
    for name in names:
        if name not in EXPERIMENTS:
            close = get_close_matches(name, EXPERIMENTS, n=1)
            hint = f"; closest: {close[0]!r}" if close else ""
            raise UnknownExperimentError(
                f"there is no experiment {name!r}{hint}. 'grokscope experiments' lists all {len(EXPERIMENTS)}"
            )
    return [EXPERIMENTS[name] for name in dict.fromkeys(names or EXPERIMENTS)]


def say_experiments(experiments: Sequence[Experiment], *, is_json: bool, in_detail: bool) -> None:
    """Print experiments: a line each, or each with its arms and settings.

    Args:
        experiments: Which.
        is_json: Whether a JSON object a line is wanted.
        in_detail: Whether a person is told all of each.
    """
    if is_json:
        for one in experiments:
            _say_as_json(one)
    elif in_detail:
        for one in experiments:
            _say_details(one)
    else:
        _say_list(experiments)


def _say_list(experiments: Sequence[Experiment]) -> None:
    rows = [
        (one.name, one.title, one.event, str(sum(arm.seeds for arm in one.arms)), f"{one.seconds:.0f}")
        for one in experiments
    ]
    say_table(("experiment", "trains", "event", "runs", "s"), rows, numbers=("runs", "s"))
    say(
        "s: seconds a run, on one core. 'grokscope experiments NAME' shows settings and arms, with --train "
        "it trains them; 'grokscope sweep' trains one with settings of your own"
    )


def _say_details(experiment: Experiment) -> None:
    say(f"{experiment.name}: {experiment.title}")
    say(f"event: {experiment.event}; about {experiment.seconds:.0f} s a run on one core")
    say(f"source: {experiment.source}")
    say("")
    arms = [
        (arm.group, str(arm.seeds), _told(arm), ("control: " if arm.is_control else "") + arm.expects.says)
        for arm in experiment.arms
    ]
    say_table(("arm", "runs", "settings", "event"), arms, numbers=("runs",))
    say("")
    say_table(("setting", "default", "what it is"), _settings(experiment.recipe))


def _say_as_json(experiment: Experiment) -> None:
    told = {
        "name": experiment.name,
        "title": experiment.title,
        "event": experiment.event,
        "source": experiment.source,
        "seconds": experiment.seconds,
        "settings": _defaults(experiment.recipe),
        "arms": [
            {
                "group": arm.group,
                "seeds": arm.seeds,
                "settings": dict(arm.settings),
                "is_control": arm.is_control,
                "event": arm.expects.says,
            }
            for arm in experiment.arms
        ],
    }
    say_json(json.dumps(told))


def _told(arm: Arm) -> str:
    return ", ".join(f"{name}={value}" for name, value in arm.settings.items()) or "defaults"


def _defaults(recipe: type[Recipe]) -> dict[str, Value]:
    made = recipe()
    return {one.name: getattr(made, one.name) for one in fields(recipe) if "axis" in one.metadata}


def _settings(recipe: type[Recipe]) -> list[tuple[str, str, str]]:
    defaults = _defaults(recipe)
    return [
        (one.name, str(defaults[one.name]), one.metadata["says"])
        for one in fields(recipe)
        if "axis" in one.metadata
    ]

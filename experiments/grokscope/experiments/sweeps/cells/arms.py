"""The arms of an experiment as the cells of a sweep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grokscope.experiments.sweeps.cells.cell import Cell
from grokscope.experiments.training.run import StopRule

if TYPE_CHECKING:
    from grokscope.experiments.experiment import Arm, Experiment


def cells_of_arms(
    experiment: "Experiment", *, into: str | None = None, stop: StopRule | None = None
) -> list[Cell]:
    """Return one cell a run of an experiment.

    Args:
        experiment: What is trained.
        into: Name of the MLflow experiment; the experiment's own by default.
        stop: When runs need not go on.
    """
    name, steps = experiment.name, experiment.recipe().steps
    return cells_of(experiment.arms, train=name, steps=steps, into=into or name, stop=stop)


def cells_of(
    arms: "Sequence[Arm]", *, train: str, steps: int, into: str, stop: StopRule | None = None
) -> list[Cell]:
    """Return one cell a run, arms in turn, so that each arm shows up early.

    Args:
        arms: What is trained with.
        train: Name of the experiment whose arms they are.
        steps: Of an arm that sets none.
        into: Name of the MLflow experiment.
        stop: When runs need not go on.
    """
    return [
        Cell(
            experiment=into,
            group=arm.group,
            seed=seed,
            settings=arm.settings,
            train=train,
            stop=stop,
            steps=int(arm.settings.get("steps", steps)),
        )
        for seed in range(max((arm.seeds for arm in arms), default=0))
        for arm in arms
        if seed < arm.seeds
    ]

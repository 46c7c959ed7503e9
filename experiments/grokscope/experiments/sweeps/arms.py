"""The arms of an experiment as the cells of a sweep."""

from typing import TYPE_CHECKING

from grokscope.experiments.sweeps.cells import Cell
from grokscope.experiments.training.run import StopRule

if TYPE_CHECKING:
    from grokscope.experiments.experiment import Experiment


def cells_of_arms(
    experiment: "Experiment", *, into: str | None = None, stop: StopRule | None = None
) -> list[Cell]:
    """Return one cell a run, arms in turn, so that each arm shows up early.

    Args:
        experiment: What is trained.
        into: Name of the MLflow experiment; the experiment's own by default.
        stop: When runs need not go on.

    >>> from grokscope.experiments.algorithmic.modular_arithmetic import DEMO
    >>> cells = cells_of_arms(DEMO)
    >>> [(cell.group, cell.seed) for cell in cells][:4]
    [('weight decay 1', 0), ('no weight decay', 0), ('25 % of the data', 0), ('weight decay 1', 1)]
    """
    defaults = experiment.recipe()
    return [
        Cell(
            experiment=into or experiment.name,
            group=arm.group,
            seed=seed,
            settings=arm.settings,
            train=experiment.name,
            stop=stop,
            steps=int(arm.settings.get("steps", defaults.steps)),
        )
        for seed in range(max((arm.seeds for arm in experiment.arms), default=0))
        for arm in experiment.arms
        if seed < arm.seeds
    ]

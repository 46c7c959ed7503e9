"""What ``grokscope demo`` trains: sums that grok, and two controls that only memorize. Loads no torch."""

from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm
from grokscope.experiments.sweeps.cells.arms import cells_of
from grokscope.experiments.sweeps.cells.cell import Cell

DEMO_ARMS = (
    Arm(group="weight decay 1", expects=GROKS, seeds=6),
    Arm(group="no weight decay", settings={"weight_decay": 0.0}, expects=MEMORIZES, is_control=True),
    Arm(group="25 % of the data", settings={"train_fraction": 0.25}, expects=MEMORIZES, is_control=True),
)
"""The first arms of the experiment ``modular-arithmetic``."""

DEMO_STEPS = 2500


def demo_cells(into: str) -> list[Cell]:
    """Return the runs of the demo.

    Args:
        into: Name of the MLflow experiment.

    >>> [(cell.group, cell.seed) for cell in demo_cells("demo")][:4]
    [('weight decay 1', 0), ('no weight decay', 0), ('25 % of the data', 0), ('weight decay 1', 1)]
    """
    return cells_of(DEMO_ARMS, train="modular-arithmetic", steps=DEMO_STEPS, into=into)

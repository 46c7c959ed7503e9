"""Short runs of experiments, in memory and on one thread."""

from collections.abc import Callable

import pytest
import torch

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

Curves = dict[str, dict[int, float]]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def curves_of() -> Callable[..., Curves]:
    """Return what trains a recipe of an experiment for a few steps: metric -> step -> value."""

    def short(experiment: Experiment, **settings: object) -> Curves:
        recipe = experiment.recipe(**{"group": "g", "steps": 3} | settings)
        sink = MemorySink()
        train(experiment.prepare(recipe), recipe, Run(to=Destination(experiment="e"), sink=sink))
        curves: Curves = {}
        for step, metric, value in sink.rows():
            curves.setdefault(metric, {})[step] = value
        return curves

    return short

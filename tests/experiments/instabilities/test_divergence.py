"""Too large steps end in losses that are no numbers, and the engine says so."""

import polars as pl

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.instabilities.divergence import DIVERGENCE
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train
from grokscope.transitions import detect


def test_the_engine_finds_the_divergence_of_the_arm_with_too_large_steps_alone():
    met = {}
    for arm in DIVERGENCE.arms:
        recipe = DIVERGENCE.recipe(**{"steps": 100 if arm.is_control else 20, **arm.settings})
        sink = MemorySink()
        train(DIVERGENCE.prepare(recipe), recipe, Run(to=Destination(experiment="e"), sink=sink))
        points = pl.DataFrame(sink.rows(), schema=["step", "metric", "value"], orient="row")
        met[arm.group] = [arm.expects.is_met_by(verdict) for verdict in detect(points)]
    assert met == {"learning rate 100": [True], "learning rate 1": [True]}

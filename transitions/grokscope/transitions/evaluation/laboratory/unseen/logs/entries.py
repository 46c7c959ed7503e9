"""A log: curves as somebody wrote them down, with what goes wrong on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import between, happens, pick
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Values of one metric, in the order in which they were written."""

    name: str
    steps: Steps
    values: Floats


def as_frame(curves: Sequence[Curve]) -> pl.DataFrame:
    """Return the rows of ``curves``: columns ``metric``, ``step``, ``value``.

    >>> as_frame([Curve(name="a", steps=np.array([1]), values=np.array([0.5]))]).rows()
    [('a', 1, 0.5)]
    """
    return pl.concat(
        pl.DataFrame({"step": curve.steps, "value": curve.values}).select(
            pl.lit(curve.name).alias("metric"), "step", "value"
        )
        for curve in curves
    )


def without_stretch(rng: np.random.Generator, curve: Curve, low: float, high: float) -> Curve:
    """Return ``curve`` without one stretch between ``low`` and ``high``, at most a third of its start long.

    >>> curve = Curve(name="a", steps=np.arange(1, 101), values=np.ones(100))
    >>> len(without_stretch(np.random.default_rng(0), curve, 20.0, 80.0).steps) < 100
    True
    """
    start, length = between(rng, low, high), between(rng, 0.1, 0.35)
    stop = min(high, start * (1.0 + length))
    keep = (curve.steps < start) | (curve.steps > stop)
    return replace(curve, steps=curve.steps[keep], values=curve.values[keep])


def restarted(rng: np.random.Generator, curve: Curve, deviation: float) -> Curve:
    """Return ``curve`` with a stretch of a twentieth written twice: the run went back to a checkpoint.

    >>> curve = Curve(name="a", steps=np.arange(1, 101), values=np.ones(100))
    >>> len(restarted(np.random.default_rng(0), curve, 0.0).steps)
    105
    """
    length = max(1, len(curve.steps) // 20)
    start = int(rng.integers(0, max(1, len(curve.steps) - length)))
    stop = start + length
    again = curve.values[start:stop] + deviation * rng.standard_normal(len(curve.values[start:stop]))
    return replace(
        curve,
        steps=np.concatenate([curve.steps[:stop], curve.steps[start:]]),
        values=np.concatenate([curve.values[:stop], again, curve.values[stop:]]),
    )


def with_glitches(rng: np.random.Generator, curve: Curve, share: float = 0.01) -> Curve:
    """Return ``curve`` with up to ``share`` of its values missing or wild, never more than that.

    >>> curve = Curve(name="a", steps=np.arange(300), values=np.ones(300))
    >>> bool(np.sum(with_glitches(np.random.default_rng(0), curve).values != 1.0) <= 3)
    True
    """
    values = curve.values.copy()
    count = int(rng.integers(0, int(share * len(values)) + 1))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    for index in rng.choice(len(values), count, replace=False):
        values[index] = pick(rng, (float("nan"), low, high, float("nan"), 0.0))
    return replace(curve, values=values)


def company(rng: np.random.Generator, steps: Steps) -> list[Curve]:
    """Return some curves that say nothing about learning: a schedule, epochs, the speed.

    >>> [curve.name for curve in company(np.random.default_rng(1), np.arange(1, 9))]
    ['learning_rate']
    """
    end = float(steps[-1]) + 1.0
    rate = 1e-3 * (0.5 + 0.5 * np.cos(np.pi * steps / end))
    speed = 1e3 * (1.0 + 0.05 * rng.standard_normal(len(steps)))
    offered = (
        Curve(name=pick(rng, ("lr", "learning_rate", "train/learning_rate")), steps=steps, values=rate),
        Curve(name="epoch", steps=steps, values=steps / 100.0),
        Curve(name=pick(rng, ("throughput", "time/fps", "samples_per_sec")), steps=steps, values=speed),
    )
    return [curve for curve in offered if happens(rng, 0.4)]

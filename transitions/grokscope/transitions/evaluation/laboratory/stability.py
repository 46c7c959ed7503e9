"""Whether verdicts bear what is no part of a run: fewer evaluations, a shorter log, other units, glitches."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import polars as pl

from grokscope.transitions.evaluation.laboratory.judging import Oracle, engine

GLITCHES = 0.01
"""Share of evaluations that are put anywhere between the lowest and the highest of their curve."""
MOST_CUT = 0.05
"""Largest share of a log's evaluations that is cut off at its end."""
STEPS = 7
"""What steps are multiplied by."""

Change = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame | None]
"""The points of a run, logged differently; ``None`` where there is no such way."""


def flips(points: pl.DataFrame, *, seed: int = 0, oracle: Oracle = engine) -> dict[str, bool]:
    """Return for every change that can be made to ``points`` whether the pattern changes with it.

    Args:
        points: Of one run: ``metric``, ``step``, ``value``.
        seed: Of what is random in the changes.
        oracle: Whose verdicts.
    """
    before = _pattern(points, oracle)
    found: dict[str, bool] = {}
    for name, change in CHANGES.items():
        changed = change(points, np.random.default_rng([seed, *name.encode()]))
        if changed is not None:
            found[name] = _pattern(changed, oracle) != before
    return found


def _pattern(points: pl.DataFrame, oracle: Oracle) -> str:
    verdict = oracle(points)
    return "refused" if verdict is None else verdict.pattern.value


def _halved(points: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    first = int(rng.integers(2))
    place = pl.int_range(pl.len()).over("metric")
    return points.filter(place % 2 == first)


def _cut(points: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    steps = points["step"].unique().sort()
    kept = int(len(steps) * (1 - rng.uniform(0.01, MOST_CUT)))
    return points.filter(pl.col("step") <= steps[max(kept, 1) - 1])


def _in_per_cent(points: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame | None:
    """Accuracies that are all shares, in per cent, and the other way round; mixed units stay as they are."""
    del rng
    is_accuracy = pl.col("metric").str.to_lowercase().str.contains("acc|top1|prec@1")
    found = points.filter(is_accuracy).group_by("metric").agg(top=pl.col("value").max())["top"]
    is_share = (found <= 1).all()
    if found.is_empty() or not (is_share or (found > 1).all()):
        return None
    factor = pl.when(is_accuracy).then(100.0 if is_share else 0.01).otherwise(1.0)
    return points.with_columns(pl.col("value") * factor)


def _rescaled(points: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    del rng
    return points.with_columns(pl.col("step") * STEPS)


def _with_glitches(points: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    low, high = (getattr(pl.col("value"), name)().over("metric") for name in ("min", "max"))
    hit = pl.Series(rng.random(points.height) < GLITCHES)
    anywhere = low + pl.Series(rng.random(points.height)) * (high - low)
    return points.with_columns(pl.when(hit).then(anywhere).otherwise(pl.col("value")).alias("value"))


CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "every second evaluation dropped": _halved,
        "the last 1-5 % cut off": _cut,
        "share and per cent exchanged": _in_per_cent,
        "steps times 7": _rescaled,
        "1 % glitches": _with_glitches,
    }
)
"""Name -> what is done to the points of a run."""

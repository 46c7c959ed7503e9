"""The methods that ``detect.py`` compares: ours, a threshold rule, and change-point libraries.

A change-point method knows nothing of learning phases, so it gets the threshold rule's patterns, and is
judged by the onset alone: the first upward change after the train fit.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec

import numpy as np
import polars as pl
import ruptures

from grokscope.schemas import Date, Kind, Pattern, Transition, Verdict
from grokscope.transitions import detect
from grokscope.transitions.curves.series import Curve, curves_by_run

FITTED, GENERALIZED = 0.99, 0.9
STARTED = 0.3
"""The level that serves the threshold rule best as an onset on the public curves."""
PENALTIES = {"Pelt l2": 0.1, "Pelt rbf": 1.0, "KernelCPD rbf": 1.0}
"""... and the penalties that serve each method best, of 0.03, 0.1, 0.3, 1, 3, 10."""
LONGEST = {"Pelt l2": 1000, "Pelt rbf": 200, "KernelCPD rbf": 1000, "changeforest": 1000}
"""Longer curves are thinned to this many points: the cost of most grows with their square or faster."""

Onset = Callable[[Curve, int], int | None]


def methods() -> Mapping[str, Callable[[pl.DataFrame], list[Verdict]]]:
    """Name -> method; changeforest only where it is installed."""
    found: dict[str, Onset] = {"threshold rule": onset_by_threshold}
    for name, ends in CHANGES.items():
        if name != "changeforest" or find_spec("changeforest"):
            label = name if name == "changeforest" else f"ruptures {name}"
            found[label] = partial(onset_by_change, ends=ends, longest=LONGEST[name])
    return {"grokscope": detect} | {name: partial(judged, onset_of=onset) for name, onset in found.items()}


def first_above(curve: Curve, level: float, *, after: int = 0) -> int | None:
    met = curve.steps[(curve.values >= level) & (curve.steps >= after)]
    return int(met[0]) if len(met) else None


def onset_by_threshold(test: Curve, fitted: int) -> int | None:
    return first_above(test, STARTED, after=fitted)


def onset_by_change(
    test: Curve, fitted: int, *, ends: Callable[[np.ndarray], list[int]], longest: int
) -> int | None:
    stride = -(-len(test) // longest)
    steps, values = test.steps[::stride], test.values[::stride]
    if len(values) < 5:
        return None
    found = ends(values[:, None])
    levels = [float(np.mean(values[a:b])) for a, b in zip([0, *found], [*found, len(values)], strict=True)]
    jumps = [(int(steps[end]), levels[i + 1] - levels[i]) for i, end in enumerate(found)]
    return next((step for step, jump in jumps if jump > 0 and step > fitted), None)


def pelt_l2(values: np.ndarray) -> list[int]:
    return ruptures.Pelt(model="l2", min_size=2, jump=1).fit(values).predict(pen=PENALTIES["Pelt l2"])[:-1]


def pelt_rbf(values: np.ndarray) -> list[int]:
    return ruptures.Pelt(model="rbf", min_size=2, jump=1).fit(values).predict(pen=PENALTIES["Pelt rbf"])[:-1]


def kernel_cpd(values: np.ndarray) -> list[int]:
    found = ruptures.KernelCPD(kernel="rbf", min_size=2).fit(values)
    return found.predict(pen=PENALTIES["KernelCPD rbf"])[:-1]


def change_forest(values: np.ndarray) -> list[int]:
    from changeforest import changeforest  # noqa: PLC0415  only where it is installed

    return [int(i) for i in changeforest(np.ascontiguousarray(values), "random_forest", "bs").split_points()]


CHANGES = {
    "Pelt l2": pelt_l2,
    "Pelt rbf": pelt_rbf,
    "KernelCPD rbf": kernel_cpd,
    "changeforest": change_forest,
}


def judged(points: pl.DataFrame, *, onset_of: Onset) -> list[Verdict]:
    return [verdict(run, curves, onset_of) for run, curves in curves_by_run(points).items()]


def verdict(run: str, curves: Mapping[str, Curve], onset_of: Onset) -> Verdict:
    """First test accuracy >= .9 after the first train accuracy >= .99; grokking if three times as late."""
    train, test = curves.get("train/accuracy"), curves.get("test/accuracy")
    if train is None or test is None:
        return Verdict(run=run, pattern=Pattern.OTHER)
    fitted, generalized = first_above(train, FITTED), None
    if fitted is not None:
        generalized = first_above(test, GENERALIZED, after=fitted)
    if fitted is None or generalized is None:
        return Verdict(run=run, pattern=Pattern.CONFUSION if fitted is None else Pattern.MEMORIZATION)
    pattern = Pattern.GROKKING if generalized >= 3 * fitted else Pattern.COMPREHENSION
    onset = onset_of(test, fitted)
    event = Transition(
        run_id=run, metric=test.metric, kind=Kind.GENERALIZATION,
        step=generalized, low=generalized, high=generalized,
    )  # fmt: skip
    date = None if onset is None else Date(step=onset, low=onset, high=onset)
    return Verdict(run=run, pattern=pattern, onset=date, transitions=(event,))

"""Live alarms: how often they are false, how late they come, and what an update costs."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec

import detect_recipes
import numpy as np
import polars as pl
from scipy.stats import beta

from grokscope.schemas import Kind, Status
from grokscope.transitions import LiveDetector
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, synthetic_run, truth_of

ALPHA = 0.01
SETTLING = 5
"""Evaluations that the classical detectors learn mean and spread from, as ours does."""

Alarm = Callable[[float], bool]
Fed = Iterable[tuple[int, Mapping[str, float]]]
"""Step and scores of one evaluation after the other."""


def evaluations(recipe: CurveRecipe) -> Fed:
    return fed(synthetic_run(recipe))


def fed(points: pl.DataFrame) -> Fed:
    """Both accuracies, which are evaluated together."""
    metrics = {name: frame for (name,), frame in points.partition_by("metric", as_dict=True).items()}
    test = metrics["test/accuracy"]
    columns = (test["step"].to_list(), metrics["train/accuracy"]["value"].to_list(), test["value"].to_list())
    for step, train, held_out in zip(*columns, strict=True):
        yield step, {"train/accuracy": train, "test/accuracy": held_out}


def ours(run: Fed) -> int | None:
    """Index of the evaluation at which a generalization is suspected, or confirmed if that is earlier."""
    detector = LiveDetector(alpha=ALPHA)
    for index, (step, values) in enumerate(run):
        found = detector.update(step, values)
        if any(e.kind is Kind.GENERALIZATION and e.status is not Status.REJECTED for e in found):
            return index
    return None


def classical(make: Callable[[float, float], Alarm]) -> Callable[[Fed], int | None]:
    """Return a detector that starts at the train fit, standardised by its first evaluations there."""

    def alarm(run: Fed) -> int | None:
        first: list[float] = []
        detector, fits = None, 0
        for index, (_, values) in enumerate(run):
            fits += values["train/accuracy"] >= 0.95
            if fits < 2:
                continue
            if detector is None:
                first.append(values["test/accuracy"])
                if len(first) == SETTLING:
                    detector = make(float(np.mean(first)), max(float(np.std(first, ddof=1)), 1e-3))
            elif detector(values["test/accuracy"]):
                return index
        return None

    return alarm


def cusum(mean: float, spread: float) -> Alarm:
    """Upward CUSUM with the textbook choice k = 0.5, h = 5 standard deviations (Page 1954)."""
    total = 0.0

    def update(value: float) -> bool:
        nonlocal total
        total = max(0.0, total + (value - mean) / spread - 0.5)
        return total > 5

    return update


def adwin(mean: float, spread: float) -> Alarm:
    """Adaptive windowing without its compression of the window (Bifet and Gavaldà 2007), upward changes."""
    del mean, spread  # it needs neither: scores lie in 0..1
    window: list[float] = []

    def update(value: float) -> bool:
        window.append(value)
        count, totals = len(window), np.cumsum(window)
        before = np.arange(1, count)
        after = count - before
        rise = (totals[-1] - totals[:-1]) / after - totals[:-1] / before
        weight = np.log(2 * np.log(max(count, 3)) / ALPHA)
        inverse = 1 / before + 1 / after
        least = np.sqrt(2 * inverse * np.var(window) * weight) + 2 / 3 * inverse * weight
        cuts = np.flatnonzero(np.abs(rise) > least)
        if not len(cuts):
            return False
        del window[: int(cuts[-1]) + 1]
        return bool(rise[cuts[-1]] > 0)

    return update


def of_river(name: str) -> Callable[[float, float], Alarm]:
    from river import drift  # noqa: PLC0415  only where it is installed

    def make(mean: float, spread: float) -> Alarm:
        adwin, hinkley = drift.ADWIN(delta=ALPHA), drift.PageHinkley(min_instances=5, mode="up")
        detector = adwin if name == "ADWIN" else hinkley

        def update(value: float) -> bool:
            detector.update(value if name == "ADWIN" else (value - mean) / spread)
            return bool(detector.drift_detected)

        return update

    return make


def alarms() -> Mapping[str, Callable[[Fed], int | None]]:
    found = {f"grokscope, alpha {ALPHA}": ours, "CUSUM": classical(cusum), "ADWIN": classical(adwin)}
    if find_spec("river"):
        found |= {f"river {name}": classical(of_river(name)) for name in ("PageHinkley", "ADWIN")}
    return found


def table(nulls: int, rises: int) -> Iterator[str]:
    """False alarms by family of noise, the one-sided 95 % Clopper-Pearson bound of the worst, delays."""
    families = detect_recipes.nulls(nulls // 4)
    heads = (f"false, {family}" for family in families)
    yield f"| live alarm | {' | '.join(heads)} | 95 % bound, worst | found | median delay (evaluations) |"
    yield "|---|" + "---|" * (len(families) + 3)
    risen = [recipe for _, recipe in detect_recipes.rising(rises, seed=8)]  # seed 7 was looked at in tuning
    for name, alarm in alarms().items():
        false = [sum(alarm(evaluations(r)) is not None for r in recipes) for recipes in families.values()]
        counts = " | ".join(f"{n}/{len(r)}" for n, r in zip(false, families.values(), strict=True))
        late = [delay for recipe in risen if (delay := _delay_on(alarm, recipe)) is not None]
        hits = [delay for delay in late if delay >= 0]
        yield (
            f"| {name} | {counts} | {upper_bound(max(false), nulls // 4):.2%} | {len(hits)}/{rises} "
            f"| {np.median(hits):.0f} |"
        )


def upper_bound(hits: int, total: int) -> float:
    return float(beta.ppf(0.95, hits + 1, total - hits)) if hits < total else 1.0


def _delay_on(alarm: Callable[[Fed], int | None], recipe: CurveRecipe) -> int | None:
    return delay_of(alarm, list(evaluations(recipe)), onset=truth_of(recipe).onset or 0.0)


def delay_of(alarm: Callable[[Fed], int | None], run: Fed, *, onset: float) -> int | None:
    """Evaluations from the true onset to the alarm; negative ones came before it and are no find."""
    run = list(run)
    index = alarm(run)
    return None if index is None else index - int(np.searchsorted([step for step, _ in run], onset))


def update_cost() -> Iterator[str]:
    """What one update takes, in microseconds of the thread's CPU time, by length of the run."""
    yield "| one live update, run of | median, µs | p99 | max | mean | above 50 µs | ask the engine |"
    yield "|---|---|---|---|---|---|---|"
    for length in (100, 300, 1000, 3000):
        recipes = [
            replace(r, evaluations=length, spacing=Spacing.LINEAR) for _, r in detect_recipes.rising(18)
        ]
        cost = np.array([took for recipe in recipes for took in _updates(recipe)]) / 1000
        quantiles = " | ".join(f"{value:.0f}" for value in np.quantile(cost, (0.5, 0.99, 1.0)))
        # No update without the engine takes half a millisecond, none with it takes less.
        shares = f"{np.mean(cost > 50):.2%} | {np.mean(cost > 500):.2%}"
        yield f"| {length} evaluations | {quantiles} | {np.mean(cost):.0f} | {shares} |"


def _updates(recipe: CurveRecipe) -> Iterator[int]:
    detector = LiveDetector()
    for step, values in evaluations(recipe):
        begin = time.thread_time_ns()
        detector.update(step, values)
        yield time.thread_time_ns() - begin

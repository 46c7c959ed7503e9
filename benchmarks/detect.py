"""Ours against a threshold rule and ruptures on labelled public curves: one markdown table on stdout.

python benchmarks/detect.py FOLDER     FOLDER holds curves.parquet and labels.json
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import ruptures

from grokscope.schemas import Date, Kind, Pattern, Transition, Verdict
from grokscope.transitions import detect
from grokscope.transitions.curves import Curve, curves_by_run
from grokscope.transitions.scoring import Score, labels_from_json, score

FITTED, GENERALIZED = 0.99, 0.9
STARTED = 0.3
"""The level that serves the threshold rule best as an onset on these curves."""
PENALTY = 0.1
"""... and the penalty that serves Pelt best."""
LONGEST = 1000
"""Pelt can cost the square of its points; longer curves are thinned to this many."""


def first_above(curve: Curve, level: float, *, after: int = 0) -> int | None:
    met = curve.steps[(curve.values >= level) & (curve.steps >= after)]
    return int(met[0]) if len(met) else None


def threshold_rule(points: pl.DataFrame) -> list[Verdict]:
    """First test accuracy >= .9 after the first train accuracy >= .99; the onset is the first at .3."""
    return [baseline(run, curves, onset_by_threshold) for run, curves in curves_by_run(points).items()]


def pelt(points: pl.DataFrame) -> list[Verdict]:
    """Same patterns; the onset is the first upward change that Pelt (l2 cost) finds after the train fit."""
    return [baseline(run, curves, onset_by_pelt) for run, curves in curves_by_run(points).items()]


def onset_by_threshold(test: Curve, fitted: int) -> int | None:
    return first_above(test, STARTED, after=fitted)


def onset_by_pelt(test: Curve, fitted: int) -> int | None:
    stride = max(1, len(test) // LONGEST)
    steps, values = test.steps[::stride], test.values[::stride]
    if len(values) < 5:
        return None
    ends = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(values[:, None]).predict(pen=PENALTY)
    levels = [float(np.mean(values[a:b])) for a, b in zip([0, *ends], ends, strict=False)]
    jumps = [(int(steps[ends[i]]), levels[i + 1] - levels[i]) for i in range(len(levels) - 1)]
    return next((step for step, jump in jumps if jump > 0 and step > fitted), None)


def baseline(run: str, curves: dict[str, Curve], onset_of: Callable[[Curve, int], int | None]) -> Verdict:
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
        run_id=run,
        metric=test.metric,
        kind=Kind.GENERALIZATION,
        step=generalized,
        low=generalized,
        high=generalized,
    )
    date = None if onset is None else Date(step=onset, low=onset, high=onset)
    return Verdict(run=run, pattern=pattern, onset=date, transitions=(event,))


def row(name: str, result: Score, seconds: float, *, has_intervals: bool) -> str:
    width = f"{result.overlap}; {result.width_decades:.3f}" if has_intervals else "none given"
    cells = (
        name, f"{result.macro_f1:.2f}", result.false_alarms, result.onset, width, result.collapse,
        result.phase_change, f"{seconds:.2f}",
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main(folder: Path) -> None:
    points = pl.read_parquet(folder / "curves.parquet")
    labels = labels_from_json(folder / "labels.json")
    grids = {
        run: curves["test/accuracy"].steps
        for run, curves in curves_by_run(points).items()
        if "test/accuracy" in curves
    }
    print(
        "| | macro-F1 | false alarms | onset | overlap; width (decades) | collapse | phase change | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, method in (("grokscope", detect), ("threshold", threshold_rule), ("ruptures Pelt l2", pelt)):
        begin = time.perf_counter()
        verdicts = method(points)
        seconds = time.perf_counter() - begin
        print(row(name, score(verdicts, labels, steps=grids), seconds, has_intervals=method is detect))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

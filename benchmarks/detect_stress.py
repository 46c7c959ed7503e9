"""How the verdicts bear what other logs do to a curve, and rare shapes: markdown tables on stdout.

python benchmarks/detect_stress.py FOLDER     FOLDER holds labelled public curves, see detect.py

Every row of the first table is the whole labelled set, logged differently; the labels stay what they were.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import detect_shapes
import numpy as np
import polars as pl

from grokscope.transitions import detect
from grokscope.transitions.curves.series import curves_by_run
from grokscope.transitions.evaluation.scoring import Label, Score, labels_from_json, score

FEWEST = 10
"""Thinning leaves a curve at least so many evaluations, or untouched."""
FACTOR = 50
"""Steps a unit of the rescaled axis."""


@dataclass(frozen=True)
class Log:
    """One curve of one run, and the randomness of what is done to it."""

    metric: str
    steps: np.ndarray
    values: np.ndarray
    rng: np.random.Generator

    @property
    def is_score(self) -> bool:
        return self.metric.endswith(("/accuracy", "/acc", "/acc_norm"))

    def kept(self, which: np.ndarray) -> "Log":
        return replace(self, steps=self.steps[which], values=self.values[which])


Change = Callable[[Log], Log]


def thinned(by: int) -> Change:
    return lambda log: log.kept(np.arange(len(log.steps)) % by == 0) if len(log.steps) >= FEWEST * by else log


def log_spaced(log: Log) -> Log:
    """About twenty evaluations a decade."""
    cells = np.floor(np.log10(np.maximum(log.steps, 1)) * 20)
    which = np.diff(cells, prepend=-1) > 0
    return log.kept(which) if which.sum() >= FEWEST else log


def dense(log: Log) -> Log:
    """Three evaluations between any two, on a straight line."""
    places = np.arange(0, len(log.steps) - 0.99, 0.25)
    steps = np.unique(np.interp(places, np.arange(len(log.steps)), log.steps).round().astype(int))
    return replace(log, steps=steps, values=np.interp(steps, log.steps, log.values))


def noisy(size: float, *, is_cut: bool) -> Change:
    """Noise that vanishes at 0 and 1, as that of a finite test set does, or is only cut there."""

    def change(log: Log) -> Log:
        if not log.is_score:
            return log
        room = 1.0 if is_cut else 2 * np.sqrt(np.clip(log.values * (1 - log.values), 0.0, 0.25))
        noise = log.rng.normal(0, size, len(log.values)) * room
        return replace(log, values=np.clip(log.values + noise, 0.0, 1.0))

    return change


def dipping(share: float, *, length: int) -> Change:
    """Evaluations that fall to a random share of their level, so many in a row, and recover."""

    def change(log: Log) -> Log:
        count = len(log.values)
        first = np.flatnonzero(log.rng.random(count) < share / length)
        hit = np.unique((first[:, None] + np.arange(length)).ravel())
        factor = np.ones(count)
        hit = hit[hit < count - 5]
        factor[hit] = log.rng.uniform(0.0, 0.9, len(hit))
        return replace(log, values=log.values * factor) if log.is_score else log

    return change


def lossy(log: Log) -> Log:
    which = log.rng.random(len(log.steps)) >= 0.3
    return log.kept(which) if which.sum() >= FEWEST // 2 else log


def rescaled(log: Log) -> Log:
    return replace(log, steps=log.steps * FACTOR)


def rounded(log: Log) -> Log:
    return replace(log, values=np.round(log.values, 2))


def per_cent(log: Log) -> Log:
    return replace(log, values=100 * log.values) if log.is_score else log


def of_minibatch(size: int) -> Change:
    """Train accuracy of one minibatch."""

    def change(log: Log) -> Log:
        if log.metric != "train/accuracy":
            return log
        return replace(log, values=log.rng.binomial(size, np.clip(log.values, 0, 1)) / size)

    return change


def capped(log: Log) -> Log:
    return replace(log, values=0.97 * log.values) if log.is_score else log


def above_chance(log: Log) -> Log:
    return replace(log, values=0.1 + 0.9 * log.values) if log.metric.endswith("/accuracy") else log


CHANGES: Mapping[str, Change] = {
    "as logged": lambda log: log,
    **{f"one evaluation in {k}": thinned(k) for k in (2, 3, 5)},
    "twenty evaluations a decade": log_spaced,
    "four times as dense": dense,
    **{f"noise {size}, none at 0 and 1": noisy(size, is_cut=False) for size in (0.01, 0.02, 0.05)},
    **{f"noise {size}, cut at 0 and 1": noisy(size, is_cut=True) for size in (0.01, 0.02, 0.05)},
    "2 % of evaluations dip": dipping(0.02, length=1),
    "5 % of evaluations dip": dipping(0.05, length=1),
    "5 % dip, three in a row": dipping(0.05, length=3),
    "30 % of rows lost": lossy,
    f"steps times {FACTOR}": rescaled,
    "rounded to two digits": rounded,
    "per cent": per_cent,
    "train accuracy of 64 examples": of_minibatch(64),
    "ceiling 0.97": capped,
    "chance 0.1 higher": above_chance,
}
"""Name -> what is done to every curve."""


def changed(points: pl.DataFrame, change: Change) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    frames: list[pl.DataFrame] = []
    for (run, metric), part in points.sort("step").group_by("run", "metric", maintain_order=True):
        log = change(Log(str(metric), part["step"].to_numpy(), part["value"].to_numpy(), rng))
        frames.append(pl.DataFrame({"run": run, "metric": metric, "step": log.steps, "value": log.values}))
    return pl.concat(frames)


def scored(points: pl.DataFrame, labels: list[Label], change: Change) -> Score:
    frame, by = changed(points, change), FACTOR if change is rescaled else 1
    runs = curves_by_run(frame).items()
    grids = {run: curves["test/accuracy"].steps for run, curves in runs if "test/accuracy" in curves}
    return score(detect(frame), [_moved(label, by) for label in labels], steps=grids)


def _moved(label: Label, by: int) -> Label:
    onset = None if label.onset is None else (by * label.onset[0], by * label.onset[1])
    changes = [(metric, (by * low, by * high)) for metric, (low, high) in label.phase_changes]
    return replace(label, onset=onset, phase_changes=changes)


def table(folder: Path) -> Iterator[str]:
    points = pl.read_parquet(folder / "curves.parquet", glob=False)
    labels = labels_from_json(folder / "labels.json")
    names = "macro-F1 | false alarms | onset | overlap; width (decades) | collapse | phase change"
    yield f"| public curves | {names} |"
    yield "|---|---|---|---|---|---|---|"
    for name, change in CHANGES.items():
        found = scored(points, labels, change)
        width = f"{found.overlap}; {found.width_decades:.3f}"
        cells = (name, f"{found.macro_f1:.2f}", found.false_alarms, found.onset, width)
        yield "| " + " | ".join(map(str, (*cells, found.collapse, found.phase_change))) + " |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for lines in (table(Path(sys.argv[1])), detect_shapes.table()):
        for line in lines:
            print(line, flush=True)
        print()

"""Curves: what one run logged under one name, ready to be fitted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from grokscope.schemas import as_points, latest, resolve
from grokscope.transitions.curves.units import Unit, units_of

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SHORT = 40
"""Below this many evaluations a level counts as sustained after two of them instead of five."""

COUNT = "_count"
"""Ending of the name that a score goes by if it was logged in numbers of answers."""
WHOLE = 100
"""Levels from here on are told without decimals."""
HUGE = 1e150
"""Values from here on are overflow: MLflow's SQL store writes an infinity as 1.8e308."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What was possible: two levels of a metric, in its own unit, or in its logarithm.

    Attributes:
        start: Where progress is 0.
        best: Where it is 1.
        is_log: Both are natural logarithms of levels.
        is_open: Levels have no lower bound: progress below 0 counts in orders of magnitude.
    """

    start: float = 0.0
    best: float = 1.0
    is_log: bool = False
    is_open: bool = False

    def progress(self, values: Floats) -> Floats:
        """Return ``values`` of the metric as progress, shape (n,).

        >>> Span(start=1.0, best=0.0).progress(np.array([0.9, 0.25]))
        array([0.1 , 0.75])
        """
        if self == OWN:
            return values
        levels = np.log(np.maximum(values, np.finfo(np.float64).tiny)) if self.is_log else values
        shares = (levels - self.start) / (self.best - self.start)
        return np.where(shares < 0, -np.log1p(-np.minimum(shares, 0)), shares) if self.is_open else shares

    def level(self, progress: float) -> float:
        """Return the level of the metric at ``progress``, in the metric's unit.

        >>> Span(start=1.0, best=0.0).level(0.75)
        0.25
        """
        share = 1 - np.exp(-progress) if self.is_open and progress < 0 else progress
        level = float(self.start + share * (self.best - self.start))
        return float(np.exp(level)) if self.is_log else level


OWN = Span()
"""Of a metric whose values are progress already, as accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One metric of one run: finite values only, one a step, in order of step.

    Attributes:
        metric: Canonical key, see ``grokscope.schemas.resolve``.
        steps: Shape (n,), strictly increasing.
        values: Shape (n,), finite, in the metric's unit; or as progress within ``span``.
        dropped: How many values were left out because they were not finite.
        lost_at: Steps of those that come after the last finite value.
        is_per_cent: The values were logged as per cent and divided by 100.
        span: Between which levels of the metric ``values`` are progress; by default they are its own.
    """

    metric: str
    steps: Integers
    values: Floats
    dropped: int = 0
    lost_at: tuple[int, ...] = ()
    is_per_cent: bool = False
    span: Span = OWN

    def __len__(self) -> int:
        return len(self.steps)

    def level(self, progress: float) -> float:
        """Return the level at ``progress``, in the metric's unit."""
        return self.span.level(progress)

    @property
    def worse(self) -> str:
        """The word for levels with less progress: ``below``, or ``above`` where lower is better."""
        return "below" if self.span.best > self.span.start else "above"

    @property
    def better(self) -> str:
        """The word for levels with at least as much: ``above``, or ``below`` where lower is better."""
        return "above" if self.span.best > self.span.start else "below"

    def said(self, progress: float) -> str:
        """Return the level at ``progress`` in words.

        >>> Curve(metric="m", steps=np.arange(1), values=np.ones(1)).said(0.5)
        '0.50'
        """
        level = self.level(progress)
        return f"{level:.2f}" if abs(level) < WHOLE else f"{level:.4g}"

    @property
    def patience(self) -> int:
        """Evaluations in a row that make a level sustained rather than touched."""
        return 5 if len(self) >= SHORT else 2

    @property
    def is_constant(self) -> bool:
        """The curve never moves (or has no value at all)."""
        return len(self) == 0 or bool(np.ptp(self.values) == 0)


def curves_by_run(points: pl.DataFrame) -> dict[str, dict[str, Curve]]:
    """Return the curves of every run, runs and metrics in sorted order, under canonical names.

    >>> frame = pl.DataFrame({"metric": ["val_acc"] * 2, "step": [2, 1], "value": [0.5, float("nan")]})
    >>> curve = curves_by_run(frame)["run"]["val/accuracy"]
    >>> curve.steps.tolist(), curve.dropped
    ([2], 1)
    """
    frame = as_points(points)
    groups = frame.group_by("run_id", "metric").agg("step", "time_ms", "value").sort("run_id", "metric")
    runs: dict[str, dict[str, Curve]] = {}
    for i, (run, metric) in enumerate(groups.select("run_id", "metric").iter_rows()):
        steps, times, values = (groups[name][i] for name in ("step", "time_ms", "value"))
        runs.setdefault(run, {})[metric] = _curve(metric, steps, times, values)
    return {run: _renamed(curves) for run, curves in runs.items()}


def log_steps(steps: Integers) -> Floats:
    """Return the log-step axis, shape (n,); rescaling the steps only shifts it.

    Step 0 is put as far before the first positive step as a factor of two is: u = log(max(s, s₁/2)).

    >>> (log_steps(np.array([0, 10, 30])) - log_steps(np.array([0, 1, 3]))).round(3)
    array([2.303, 2.303, 2.303])
    """
    positive = steps[steps > 0]
    floor = float(positive[0]) / 2 if len(positive) else 0.5
    return np.log(np.maximum(steps, floor))


def median(values: Floats) -> float:
    """Return the median of finite ``values``, NaN without any: NumPy's own costs ten times as much on a few.

    >>> median(np.array([3.0, 1.0, 2.0])), median(np.array([1.0, 2.0]))
    (2.0, 1.5)
    """
    size = len(values)
    if size == 0:
        return float("nan")
    half = size // 2
    if size % 2:
        return float(np.partition(values, half)[half])
    middle = np.partition(values, (half - 1, half))
    return float(middle[half - 1] + middle[half]) / 2


def running_median(values: Floats, *, width: int) -> Floats:
    """Return the centred running median over an odd ``width``; ends are repeated outwards.

    Centred, because a trailing mean would date every rise late.

    >>> running_median(np.array([0.0, 0.0, 9.0, 1.0, 1.0]), width=3)
    array([0., 0., 1., 1., 1.])
    """
    if width <= 1 or len(values) == 0:
        return values.copy()
    padded = np.pad(values, width // 2, mode="edge")
    if width == 3:  # noqa: PLR2004  the usual width, ten times as fast without sorting
        left, middle, right = padded[:-2], padded[1:-1], padded[2:]
        return np.maximum(np.minimum(left, middle), np.minimum(np.maximum(left, middle), right))
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=-1)


def on_grid(curve: Curve, grid: Floats) -> Floats:
    """Return the level of ``curve`` at each point of an even ``grid`` in log step, shape (len(grid),).

    Medians where evaluations are dense, straight lines where they are not.

    >>> curve = Curve(metric="m", steps=np.array([1, 10, 100]), values=np.array([0.0, 1.0, 3.0]))
    >>> on_grid(curve, np.log([1.0, 10.0, 100.0]))
    array([0., 1., 3.])
    """
    axis, pitch = log_steps(curve.steps), float(grid[1] - grid[0])
    levels = np.interp(grid, axis, running_median(curve.values, width=curve.patience | 1))
    ends: Floats = np.append(grid, grid[-1] + pitch) - pitch / 2
    edges: Integers = np.searchsorted(axis, ends).astype(np.int64)
    for i in np.flatnonzero(np.diff(edges) >= curve.patience):
        levels[i] = median(curve.values[edges[i] : edges[i + 1]])
    return levels


def _curve(metric: str, steps: pl.Series, times: pl.Series, values: pl.Series) -> Curve:
    axis = steps.to_numpy()
    if np.any(
        np.diff(axis) <= 0
    ):  # out of order or logged twice; sorting everything up front would cost more
        group = pl.DataFrame({"step": steps, "time_ms": times, "value": values, "metric": metric})
        ordered = latest(as_points(group))
        axis, values = ordered["step"].to_numpy(), ordered["value"]
    numbers = values.to_numpy()
    finite = np.abs(numbers) < HUGE  # NaN is not
    last = int(np.flatnonzero(finite)[-1]) if finite.any() else -1
    return Curve(
        metric=metric,
        steps=axis[finite],
        values=numbers[finite],
        dropped=int(np.sum(~finite)),
        lost_at=tuple(axis[last + 1 :].tolist()),
    )


def _renamed(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """Return ``curves`` under canonical names; the score of a task beside the splits keeps its own."""
    names = {name: n if not n.startswith("shift:") else name for name, n in resolve(curves).items()}
    return _as_shares({names[name]: replace(curve, metric=names[name]) for name, curve in curves.items()})


def _as_shares(curves: dict[str, Curve]) -> dict[str, Curve]:
    """Return ``curves`` with those that were logged as per cent as shares.

    A count of right answers is no share as long as nobody says of how many: it goes by another name.
    """
    found: dict[str, Curve] = {}
    units = units_of(curves)
    for name, curve in curves.items():
        unit = units.get(name)
        if unit is Unit.PER_CENT:
            found[name] = replace(curve, values=curve.values / 100, is_per_cent=True)
        elif unit is Unit.COUNT:
            found[f"{name}{COUNT}"] = replace(curve, metric=f"{name}{COUNT}")
        else:
            found[name] = curve
    return found

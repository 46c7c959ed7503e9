"""Exploratory: where the measures of one run change their course together.

A picture to look at, not a verdict: every measure weighs the same, what was not logged cannot speak, and a
boundary is a kink of many curves, with no meaning of its own. Events are what ``detect`` dates.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from grokscope.schemas import GrokscopeError
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import (
    Curve,
    Floats,
    Integers,
    curves_by_run,
    log_steps,
    median,
    on_grid,
)

GRID = 100
"""Points in log step that the measures are compared on; fewer if they were evaluated less often."""
LEAST_GRID, LEAST_SEGMENT = 12, 4
"""Grid points of the shortest run, and of the shortest segment."""
COVERED = 0.8
"""Share of the run's log steps that a measure has to cover to take part."""
SHARE, PARAMETERS = 0.05, 3
"""A boundary has to explain this share of what one straight line leaves, and its own three parameters."""
REPLICATES, NEAR = 100, 0.05
"""Draws of measures, and how far a boundary may move in one, as a share of the run's log steps."""
LIMIT = 2.0
"""Values further than this from the middle, in units of the range, are cut: a spike is no phase."""
FEWEST = 3
"""Measures below which nothing can be said about agreement between them."""


class NotOneRunError(GrokscopeError):
    """Points of several runs, or of none, where one is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """One step at which measures change their course; stable if other measures agree.

    Attributes:
        step: Where.
        low, high: Middle 95 % of where it lies when the measures are drawn anew.
        stability: Share of those draws in which it is there at all, in [0, 1]; ``None`` with fewer than three
            measures.
    """

    step: int
    low: int
    high: int
    stability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSegment:
    """A stretch in which every measure follows a straight line in log step.

    Attributes:
        begin, end: Steps.
        trends: Metric -> its change from begin to end, in units of its own range over the run.
    """

    begin: int
    end: int
    trends: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """An exploratory view of one run; no verdict follows from it.

    Attributes:
        run_id: The run.
        metrics: The measures that took part, in sorted order.
        segments: In order of step; none if ``reason`` says why.
        boundaries: Between them, one fewer.
        explained: Share of what one straight line a measure leaves that the segments explain, in [0, 1].
        reason: Why there is nothing to see; ``None`` if there is.
        status: Always ``exploratory``.
    """

    run_id: str
    metrics: tuple[str, ...] = ()
    segments: tuple[LinearSegment, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    explained: float = 0.0
    reason: str | None = None
    status: Literal["exploratory"] = "exploratory"


def segment(points: pl.DataFrame, *, run_id: str | None = None) -> Segmentation:
    """Return the exploratory segments of one run: stretches in which all its measures move steadily.

    Each measure is put onto a common grid in log step and scaled by its 5-95 % range. The segments minimise

        Σ_segments Σ_measures (squared distance from a straight line) + penalty · boundaries
        penalty = max(5 % of what a single line leaves,  3 ln(n) · Σ_measures noise variance)

    exactly, by dynamic programming. Stability is how often a boundary returns when the measures are drawn
    anew with replacement.

    Args:
        points: Any frame that ``grokscope.schemas.as_points`` accepts.
        run_id: Which run of it; may be left out if there is one.

    Returns:
        The segments; without any, ``reason`` says why (no measure, too few evaluations, nothing moves).

    Raises:
        InvalidPointsError: If ``points`` is no frame of points.
        NotOneRunError: If ``run_id`` is left out and there is not exactly one run, or if it is not there.

    Cost: n² per measure for n ≤ 100 grid points; tens of milliseconds for 40 measures.

    >>> frame = pl.DataFrame({"metric": ["loss"] * 2, "step": [0, 1], "value": [1.0, 0.9]})
    >>> segment(frame).reason
    'No measure has 12 evaluations: there is nothing to segment.'
    """
    runs = curves_by_run(points)
    name = _chosen(list(runs), run_id)
    curves = _taking_part(runs[name])
    if not curves:
        return Segmentation(
            run_id=name, reason=f"No measure has {LEAST_GRID} evaluations: there is nothing to segment."
        )
    grid = _common_grid(curves)
    if len(grid) < LEAST_GRID:
        return Segmentation(
            run_id=name, reason=f"The measures share fewer than {LEAST_GRID} steps: nothing can be compared."
        )
    return _partitioned(name, curves, grid)


def _chosen(runs: Sequence[str], run_id: str | None) -> str:
    if run_id is None and len(runs) == 1:
        return runs[0]
    if run_id is not None and run_id in runs:
        return run_id
    asked = "no run_id" if run_id is None else f"run_id {run_id!r}"
    raise NotOneRunError(f"segment() needs one run; got {asked} and the runs {', '.join(runs) or 'none'}.")


def _taking_part(curves: Mapping[str, Curve]) -> list[Curve]:
    """Return the measures that move, are evaluated often enough and cover most of the run."""
    moving = [c for _, c in sorted(curves.items()) if len(c) >= LEAST_GRID and not c.is_constant]
    usable = [c for c in moving if not c.metric.startswith("progress/") and _span(c) > 0]
    longest = max((_span(c) for c in usable), default=0.0)
    return [c for c in usable if _span(c) >= COVERED * longest]


def _span(curve: Curve) -> float:
    return float(np.ptp(log_steps(curve.steps)))


def _common_grid(curves: Sequence[Curve]) -> Floats:
    axes = [log_steps(curve.steps) for curve in curves]
    begin, end = max(float(a[0]) for a in axes), min(float(a[-1]) for a in axes)
    count = min(GRID, *(len(curve) for curve in curves)) if len(curves) > 1 else min(GRID, len(curves[0]))
    return np.linspace(begin, end, count) if end > begin else np.empty(0)


def _partitioned(name: str, curves: Sequence[Curve], grid: Floats) -> Segmentation:
    levels = [on_grid(curve, grid) for curve in curves]
    widths = [_width(values) for values in levels]
    matrix: Floats = np.stack(
        [np.clip((v - median(v)) / w, -LIMIT, LIMIT) for v, w in zip(levels, widths, strict=True)]
    )
    costs = _line_costs(matrix)
    noise = np.array([_noise(c, len(grid)) / w**2 for c, w in zip(curves, widths, strict=True)])
    cuts = _cuts(np.sum(costs, axis=0), _penalty(costs, noise))
    ends = [0, *cuts, len(grid)]
    whole = float(np.sum(costs[:, 0, -1]))
    left = sum(float(np.sum(costs[:, a, b])) for a, b in itertools.pairwise(ends))
    metrics = tuple(curve.metric for curve in curves)
    return Segmentation(
        run_id=name,
        metrics=metrics,
        segments=tuple(_segment(grid, matrix, metrics, (a, b)) for a, b in itertools.pairwise(ends)),
        boundaries=_boundaries(grid, cuts, costs, noise),
        explained=1 - left / whole if whole > 0 else 0.0,
    )


def _width(values: Floats) -> float:
    """Return the 5-95 % range of ``values``; of a jump narrower than that, the whole range."""
    low, high = np.quantile(values, [0.05, 0.95])
    return float(high - low) or float(np.ptp(values)) or 1.0


def _noise(curve: Curve, points: int) -> float:
    """Return the variance of the noise of one grid point: a median of several evaluations has less of it."""
    return jitter(curve.values) ** 2 * min(points / len(curve), 1.0)


def _line_costs(matrix: Floats) -> Floats:
    """Return the squared distance of each measure from its straight line over grid points i..j-1.

    Shape (measures, n + 1, n + 1); infinite where that is shorter than a segment.
    """
    n = matrix.shape[1]
    x = np.linspace(-1.0, 1.0, n)
    sums = [
        np.cumsum(np.pad(part, ((0, 0), (1, 0))), axis=1)
        for part in (np.broadcast_to(x, matrix.shape), x**2 + 0 * matrix, matrix, x * matrix, matrix**2)
    ]
    sx, sxx, sy, sxy, syy = (s[:, None, :] - s[:, :, None] for s in sums)
    ends: Integers = np.arange(n + 1, dtype=np.int64)
    count = ends[None, :] - ends[:, None]
    size = np.maximum(count, 1)
    spread = np.maximum(sxx - sx**2 / size, 1e-12)
    cost = syy - sy**2 / size - (sxy - sx * sy / size) ** 2 / spread
    return np.where(count >= LEAST_SEGMENT, np.maximum(cost, 0.0), np.inf)


def _penalty(costs: Floats, noise: Floats) -> float:
    n = costs.shape[1] - 1
    return max(SHARE * float(np.sum(costs[:, 0, -1])), PARAMETERS * float(np.log(n)) * float(np.sum(noise)))


def _cuts(cost: Floats, penalty: float) -> list[int]:
    """Return where the best partition is cut: first grid point of every segment but the first."""
    n = len(cost) - 1
    best, last = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=np.int64)
    best[0] = -penalty
    for j in range(1, n + 1):
        total = best[:j] + cost[:j, j] + penalty
        last[j] = int(np.argmin(total))
        best[j] = total[last[j]]
    cuts, j = list[int](), int(last[n])
    while j > 0:
        cuts.append(j)
        j = int(last[j])
    return cuts[::-1]


def _segment(grid: Floats, matrix: Floats, metrics: Sequence[str], part: tuple[int, int]) -> LinearSegment:
    a, b = part
    slopes = np.polyfit(np.arange(b - a), matrix[:, a:b].T, 1)[0]
    ends = (_step(grid, a), _step(grid, min(b, len(grid) - 1)))
    trends = {m: float(slope) * (b - a - 1) for m, slope in zip(metrics, slopes, strict=True)}
    return LinearSegment(begin=ends[0], end=ends[1], trends=trends)


def _boundaries(grid: Floats, cuts: Sequence[int], costs: Floats, noise: Floats) -> tuple[Boundary, ...]:
    """Return the cuts with what remains of them when the measures are drawn anew."""
    measures = len(costs)
    if not cuts or measures < FEWEST:
        return tuple(
            Boundary(step=_step(grid, c), low=_step(grid, c - 1), high=_step(grid, c), stability=None)
            for c in cuts
        )
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(measures, np.full(measures, 1 / measures), size=REPLICATES)
    found = [_redrawn(costs, noise, weights) for weights in drawn]
    near = max(round(NEAR * len(grid)), 1)
    return tuple(_boundary(grid, cut, found, near) for cut in cuts)


def _redrawn(costs: Floats, noise: Floats, weights: np.ndarray) -> list[int]:
    taken = np.repeat(np.arange(len(costs)), weights)
    return _cuts(np.sum(costs[taken], axis=0), _penalty(costs[taken], noise[taken]))


def _boundary(grid: Floats, cut: int, found: Sequence[Sequence[int]], near: int) -> Boundary:
    nearest = [min(cuts, key=lambda c: abs(c - cut)) for cuts in found if cuts]
    again = [c for c in nearest if abs(c - cut) <= near]
    low, high = np.quantile([*again, cut], [0.025, 0.975], method="nearest").astype(int)
    return Boundary(
        step=_step(grid, cut),
        low=_step(grid, max(int(low) - 1, 0)),
        high=_step(grid, int(high)),
        stability=len(again) / len(found),
    )


def _step(grid: Floats, index: int) -> int:
    return round(float(np.exp(grid[index])))

"""One curve of a score, turned so that more is better, with its noise."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from grokscope.schemas import Scale, Score, score_of

FloatArray = NDArray[np.float64]

PER_CENT = 1.5
"""A share of which a value is above this is in per cent."""
PART, WIDEST, NARROWEST = 10, 31, 3
"""Running medians take one evaluation in ``PART``, at most ``WIDEST`` and at least ``NARROWEST``."""
END_PART, LEAST_END = 10, 3
"""The end of a curve: its last evaluation in ``END_PART``, at least ``LEAST_END``."""
GAUSSIAN_MAD = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


@dataclass(frozen=True, kw_only=True)
class ScoreCurve:
    """One curve of a score, turned so that more is better.

    Attributes:
        metric: As it was logged.
        key: What its name was read as.
        score: Its quantity.
        steps: In order; of the finite values.
        progress: Accuracy and other shares as they are (1 − error), minus the loss; perplexity as its
            logarithm.
        ends_finite: Whether the last value is a number.
    """

    metric: str
    key: str
    score: Score
    steps: FloatArray
    progress: FloatArray
    ends_finite: bool = True

    @classmethod
    def of(cls, points: pl.DataFrame, metric: str, key: str) -> Self | None:
        """Return the curve of one metric, or ``None`` if it is no score or has no finite value."""
        score = score_of(key)
        rows = points.filter(pl.col("metric") == metric).sort("step")
        values, steps = rows["value"].to_numpy(), rows["step"].to_numpy().astype(np.float64)
        finite = np.isfinite(values)
        if score is None or not finite.any():
            return None
        progress = _progress(values[finite], score)
        ends_finite = bool(finite[-1])
        return cls(
            metric=metric,
            key=key,
            score=score,
            steps=steps[finite],
            progress=progress,
            ends_finite=ends_finite,
        )

    def __len__(self) -> int:
        """Return how many evaluations it has."""
        return len(self.steps)

    @property
    def split(self) -> str:
        """The set that it was measured on."""
        return self.key.partition("/")[0]

    @property
    def is_level(self) -> bool:
        """Whether its best value means that all is right: 1 of accuracy, 0 of error; else it is a loss."""
        return is_level(self.score)

    @cached_property
    def smooth(self) -> FloatArray:
        """Running median: one odd evaluation counts for nothing. Narrow early, where curves turn fast."""
        smooth = np.empty_like(self.progress)
        for width in np.unique(self.widths):
            here = self.widths == width
            padded = np.pad(self.progress, int(width) // 2, mode="edge")
            smooth[here] = np.median(sliding_window_view(padded, int(width)), axis=1)[here]
        return smooth

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """Evaluations that the running median takes around each: a part of all, or of those before."""
        widest = max(NARROWEST, min(WIDEST, len(self) // PART | 1))
        before = NARROWEST + 2 * (np.arange(len(self)) // PART)
        return np.minimum(before, widest)

    def noise_at(self, index: int) -> float:
        """Return the standard deviation of the running median there: √(π/2) · σ / √width."""
        return math.sqrt(math.pi / 2 / float(self.widths[index])) * self.noise

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one evaluation about its neighbours: σ = 1.4826 · MAD(Δ²y) / √6."""
        if len(self) < NARROWEST:
            return 0.0
        second = np.diff(self.progress, n=2)
        return float(GAUSSIAN_MAD * np.median(np.abs(second - np.median(second))) / math.sqrt(6))

    @cached_property
    def end(self) -> float:
        """Median progress of the last evaluations."""
        return float(np.median(self.progress[-max(LEAST_END, len(self) // END_PART) :]))

    @property
    def best(self) -> int:
        """Index of the best evaluation, smoothed."""
        return int(np.argmax(self.smooth))

    def at(self, step: float) -> float:
        """Return the smoothed progress at a step, linear between evaluations."""
        return float(np.interp(step, self.steps, self.smooth))

    def said(self, progress: float) -> str:
        """Return a progress in the metric's own unit, as it is written in a sentence."""
        return f"{self.value(progress) + 0.0:.3g}"

    def value(self, progress: float) -> float:
        """Return a progress in the metric's own unit; per cent as a share."""
        if self.score.scale is Scale.SHARE and not self.score.higher_is_better:
            return 1 - progress
        value = progress if self.score.higher_is_better else -progress
        return math.exp(value) if self.score.quantity == "perplexity" else value


def is_level(score: Score) -> bool:
    """Return whether a score has a best value that means all is right.

    >>> [is_level(score_of(name)) for name in ("val/accuracy", "val/error", "val/r2", "val/loss")]
    [True, True, True, False]
    """
    is_error = score.scale is Scale.SHARE and score.best == 0.0 and score.quantity != "calibration_error"
    return is_error or (score.best == 1.0 and score.quantity != "perplexity")


def _progress(values: FloatArray, score: Score) -> FloatArray:
    if score.scale is Scale.SHARE:
        share = values / 100 if np.max(np.abs(values)) > PER_CENT else values
        return share if score.higher_is_better else 1 - share
    if score.quantity == "perplexity":
        values = np.log(np.maximum(values, 1e-12))
    return values if score.higher_is_better else -values

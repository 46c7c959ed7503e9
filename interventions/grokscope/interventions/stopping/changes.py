"""What a held-out curve does: it gets worse after a real best, gets better, or rests."""

from dataclasses import dataclass

import numpy as np

from grokscope.interventions.stopping.score_curve import ScoreCurve

LEARNED_LEVEL, LEARNED_LOSS = 0.1, 0.05
"""A curve has learned once it gained this part of what was possible: of (1 − start), or of a loss's start."""
SIGNAL = 5.0
"""A change counts from so many standard deviations of the smoothed curve's noise."""
FIRST_SIGNAL = 3.0
"""The first evaluation is one alone, so a gain from it must also exceed so many deviations of one
evaluation."""
LOST_LEVEL, MORE_ERRORS, LEAST_LOST = 0.1, 0.5, 0.03
"""An accuracy got worse once it lost this part of what it had gained; or once its errors are more by this
part, and it lost so much."""
LOST_LOSS, LOST_GAIN = 0.15, 0.05
"""A loss got worse once it rose by this part of its lowest level, and lost this part of what it had
gained."""
STAYS = 0.75
"""Part of the last evaluations that must be worse for it to have stayed worse."""
LAST_PART, LEAST_LAST = 3, 6
"""A trend is read from the last evaluation in ``LAST_PART``, from at least ``LEAST_LAST``."""
LEAST_TAU, TREND_P = 0.4, 0.01
"""Kendall's τ of a trend with the order of the evaluations, and its p-value."""
BETTER_LEVEL, BETTER_LOSS = 0.02, 0.003
"""A trend counts once it gains this part of what is left of an accuracy, or of the loss's own level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worsening:
    """A held-out curve that had learned, and got worse for good.

    Attributes:
        curve: Which.
        step: Of its best evaluation.
        best, end: Progress there, and at the end.
    """

    curve: ScoreCurve
    step: float
    best: float
    end: float

    def __str__(self) -> str:
        """Return it in a sentence."""
        curve = self.curve
        way = "fell" if curve.score.higher_is_better else "rose"
        levels = f"from {curve.said(self.best)} at step {self.step:.0f} to {curve.said(self.end)}"
        return f"{curve.metric} {way} {levels} and stayed there"


def gain_until(curve: ScoreCurve, step: float) -> float:
    """Return how much a curve had gained at a step, from its first evaluation on, in units of progress."""
    return curve.at(step) - float(curve.progress[0])


def has_learned(curve: ScoreCurve) -> bool:
    """Return whether the curve has clearly left where it started."""
    start = float(curve.progress[0])
    least = LEARNED_LEVEL * max(1.0 - start, 0.0) if curve.is_level else LEARNED_LOSS * abs(start)
    gained = gain_until(curve, float(curve.steps[curve.best]))
    return gained > 0 and gained >= max(
        least, SIGNAL * curve.noise_at(curve.best), FIRST_SIGNAL * curve.noise
    )


def worsening_of(curve: ScoreCurve, *, had_learned: bool | None = None) -> Worsening | None:
    """Return how the curve got worse after it had learned, or ``None`` if it did not, or not for good.

    Args:
        curve: A held-out curve.
        had_learned: What another curve tells of whether it had; ``None`` if this one is asked.
    """
    best = curve.best
    top, later = float(curve.smooth[best]), curve.progress[best + 1 :]
    had_learned = has_learned(curve) if had_learned is None else had_learned
    if len(later) < LEAST_LAST // 2 or not had_learned:
        return None
    gained, lost = gain_until(curve, float(curve.steps[best])), top - curve.end
    if curve.is_level:
        least = min(LOST_LEVEL * gained, max(MORE_ERRORS * (1 - top), LEAST_LOST))
    else:
        least = max(LOST_LOSS * abs(top), LOST_GAIN * gained)
    if lost < max(least, SIGNAL * curve.noise_at(best)):
        return None
    last = curve.progress[-max(LEAST_LAST // 2, len(later) // LAST_PART) :]
    if np.mean(last < top - lost / 2) < STAYS:
        return None
    return Worsening(curve=curve, step=float(curve.steps[best]), best=top, end=curve.end)


def recovery_of(worse: Worsening) -> float:
    """Return which part of what was lost has come back since the curve's lowest; 1 is all of it."""
    curve = worse.curve
    lowest = float(np.min(curve.smooth[curve.best :]))
    won = worse.end - lowest
    return won / (worse.best - lowest) if won > SIGNAL / 2 * curve.noise_at(-1) else 0.0


def recent_gain(curve: ScoreCurve) -> float | None:
    """Return what the curve gained over its last third, or ``None`` where that is no clear trend.

    It is one where Kendall's τ with the evaluations' order is high (``LEAST_TAU``, ``TREND_P``), and the
    medians of the last third's two ends differ by more than noise and by more than a trifle.
    """
    last = curve.progress[-max(LEAST_LAST, len(curve) // LAST_PART) :]
    if len(last) < LEAST_LAST:
        return None
    ends = max(LEAST_LAST // 2, len(last) // 4)
    gained = float(np.median(last[-ends:]) - np.median(last[:ends]))
    left = 1.0 - float(np.median(last[:ends])) if curve.is_level else abs(float(np.median(last[:ends])))
    part = BETTER_LEVEL if curve.is_level else BETTER_LOSS
    if gained < max(part * left, 2 * curve.noise / np.sqrt(ends)):
        return None
    from scipy import stats  # noqa: PLC0415  half a second, which other answers need not wait

    tau, p_value = np.asarray(stats.kendalltau(np.arange(len(last)), last), dtype=np.float64)
    return gained if tau >= LEAST_TAU and p_value < TREND_P else None

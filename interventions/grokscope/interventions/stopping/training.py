"""How far the training set is fit: since when, and whether it still is."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from grokscope.interventions.stopping.judged_curves import JudgedCurves
from grokscope.interventions.stopping.score_curve import ScoreCurve

FIT_LEVEL, FIT_LOSS = 0.99, 0.1
"""The training set is fit from this accuracy, or from this part of the training loss's start."""
BROKEN_LEVEL, BROKEN_LOSS = 0.1, 0.3
"""Training broke once it lost this much accuracy, or this part of what its loss had gained."""
LEARNED_LOSS = 0.1
"""A training loss has learned once it fell by this part of its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """What the training curve says.

    Attributes:
        curve: The training accuracy, or the training loss where there is none.
        loss: The training loss, if it was logged.
        fit_at: Step from which on the training set was fit for the first time; ``None`` if it never was.
        has_learned: Whether training left its start.
        broke: How it lost again what it had, in a sentence; ``None`` if it did not.
    """

    curve: ScoreCurve
    loss: ScoreCurve | None
    fit_at: float | None
    has_learned: bool
    broke: str | None

    @classmethod
    def of(cls, found: JudgedCurves) -> Self | None:
        """Return the state of training, or ``None`` if no training curve was logged."""
        curve = found.train_level if found.train_level is not None else found.train_loss
        if curve is None:
            return None
        if curve.is_level:
            fit = curve.smooth >= FIT_LEVEL
        else:
            fit = curve.smooth >= curve.progress[0] + (1 - FIT_LOSS) * abs(float(curve.progress[0]))
        gained = float(curve.smooth[curve.best] - curve.progress[0])
        possible = 1 - float(curve.progress[0]) if curve.is_level else abs(float(curve.progress[0]))
        starts_fit = bool(fit[0])
        return cls(
            curve=curve,
            loss=found.train_loss,
            fit_at=float(curve.steps[np.argmax(fit)]) if fit.any() else None,
            has_learned=starts_fit or gained >= max(LEARNED_LOSS * possible, 5 * curve.noise_at(curve.best)),
            broke=_broke(curve, gained),
        )

    def goes_on(self, since: float) -> bool:
        """Return whether training kept what it had at a step, or gained."""
        curve = self.loss if self.loss is not None and not self.curve.is_level else self.curve
        slack = 0.05 if curve.is_level else 0.05 * abs(curve.at(since))
        return curve.end >= curve.at(since) - slack

    def is_fit(self) -> bool:
        """Return whether the training set was fit and training did not break."""
        return self.fit_at is not None and self.broke is None


def _broke(curve: ScoreCurve, gained: float) -> str | None:
    if not curve.ends_finite:
        return f"{curve.metric} is no number at the end: it diverged"
    lost = float(curve.smooth[curve.best]) - curve.end
    if lost <= max(
        BROKEN_LEVEL if curve.is_level else BROKEN_LOSS * max(gained, 0.0), 5 * curve.noise_at(curve.best)
    ):
        return None
    best = curve.said(float(curve.smooth[curve.best]))
    return f"{curve.metric} lost what it had: {best} at best, {curve.said(curve.end)} at the end"

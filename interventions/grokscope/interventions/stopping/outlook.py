"""What may be said of a run that is still going, and the evidence that decides it."""

from dataclasses import dataclass
from enum import StrEnum

from grokscope.interventions.stopping.changes import (
    Worsening,
    gain_until,
    has_learned,
    recent_gain,
    recovery_of,
    worsening_of,
)
from grokscope.interventions.stopping.judged_curves import LEAST_EVALUATIONS, JudgedCurves
from grokscope.interventions.stopping.score_curve import ScoreCurve
from grokscope.interventions.stopping.training import TrainingState

TOGETHER = 0.5
"""A loss that overfits had learned together with training: it had gained this part of what training had."""
MOST, HIGH = 0.7, 0.65
"""A log may begin after the loss's fall: its first accuracy is this part of its best and of training's, and
is at least so high."""
FOLLOWS, CLOSE = 0.8, 0.9
"""A held-out curve follows training once it gained this part of what training gained; an accuracy also once
it is at this part of that of training."""
STILL_WINS = 0.1
"""A loss that rises is no overfitting while the accuracy won this part of what was left, and gets better."""
GAP = 0.05
"""The distance to the training accuracy grows at least by this while a run overfits."""
RECOVERS = 0.25
"""A curve that won back this part of what it had lost does not stay worse."""

NO_CURVE = "No held-out curve was found. Log one, or name it: --alias NAME=test/accuracy."


class Outlook(StrEnum):
    """What may be said of a run that is still going."""

    OVERFITTING = "overfitting"
    MAY_STILL_GENERALIZE = "may still generalize"
    IMPROVING = "improving"
    GENERALIZES = "generalizes"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An outlook, the curve that it was read from, and what decided it, in sentences."""

    outlook: Outlook
    curve: ScoreCurve | None
    because: str


def judge(found: JudgedCurves) -> Judgement:
    """Return the outlook of a run from its curves.

    Overfitting is asked first, then whether the held-out curve gets better, follows training, or rests while
    training is fit.
    """
    main = found.level if found.level is not None else found.loss
    training = TrainingState.of(found)
    reason = NO_CURVE if main is None else _unreadable(main)
    if main is None or reason is not None:
        return Judgement(outlook=Outlook.CANNOT_TELL, curve=main, because=reason or NO_CURVE)
    if training is None:
        return _improving(found, None) or _without_training(main)
    return _judge(found, main, training)


def _judge(found: JudgedCurves, main: ScoreCurve, training: TrainingState) -> Judgement:
    if (worse := _overfitting(found, training)) is not None:
        if (other := next((c for c in found.others if recent_gain(c) is not None), None)) is not None:
            because = f"{worse}, but {other.metric} gets better: two held-out sets disagree."
            return Judgement(outlook=Outlook.CANNOT_TELL, curve=worse.curve, because=because)
        return Judgement(outlook=Outlook.OVERFITTING, curve=worse.curve, because=f"{worse}.")
    if training.broke is not None:
        because = f"{training.broke}. That is instability of training, neither overfitting nor a delay."
        return Judgement(outlook=Outlook.CANNOT_TELL, curve=main, because=because)
    return _improving(found, training) or _resting(main, training)


def _unreadable(main: ScoreCurve) -> str | None:
    """Return why the held-out curve tells nothing, or ``None`` if it may."""
    if len(main) < LEAST_EVALUATIONS:
        count = f"{main.metric} has {len(main)} evaluations"
        return f"{count}; below {LEAST_EVALUATIONS} neither can be told. Evaluate more often."
    if not main.ends_finite:
        return f"{main.metric} is no number at the end: it diverged. That is no overfitting."
    return None


def _without_training(main: ScoreCurve) -> Judgement:
    """Return that nothing more is told where no training curve was logged."""
    change = worsening_of(main)
    seen = f"{change}, but no" if change else "No"
    because = f"{seen} training curve was found, so whether the training set is fit is not known. Log one."
    return Judgement(outlook=Outlook.CANNOT_TELL, curve=main, because=because)


def _overfitting(found: JudgedCurves, training: TrainingState) -> Worsening | None:
    """Return the held-out curve that got worse for good while training went on, if one did."""
    level, loss = found.level, found.loss
    if training.broke is not None or not training.has_learned:
        return None
    if level is not None and (fell := worsening_of(level)) is not None and _stays(fell, training):
        train = training.curve
        widened = fell.best - fell.end + train.end - train.at(fell.step) if train.is_level else 1.0
        if widened >= GAP:
            return fell
    return None if loss is None else _loss_overfits(loss, level, training)


def _loss_overfits(loss: ScoreCurve, level: ScoreCurve | None, training: TrainingState) -> Worsening | None:
    """Return how the loss rose after it had fallen with training; an accuracy beside it must have learned."""
    began_late = level is not None and _began_learned(level, training)
    if level is not None and not has_learned(level) and not began_late:
        return None
    rose = worsening_of(loss)
    is_together = rose is not None and _fell_together(rose, training)
    if not is_together and level is not None and began_late:
        rose = worsening_of(loss, had_learned=True)
        is_together = rose is not None and _follows_at(level, training, rose.step)
    if rose is None or not is_together or not _stays(rose, training):
        return None
    return None if level is not None and _gets_better(level, since=rose.step) else rose


def _began_learned(level: ScoreCurve, training: TrainingState) -> bool:
    """Return whether the log began late: the accuracy followed training, and had most of what it ever had.

    Such a log shows no fall of the loss; that accuracy tells that there was one.
    """
    first, best = float(level.progress[0]), float(level.smooth[level.best])
    return first >= max(HIGH, MOST * best) and _follows_at(level, training, float(level.steps[0]))


def _follows_at(level: ScoreCurve, training: TrainingState, step: float) -> bool:
    return training.curve.is_level and level.at(step) >= MOST * training.curve.at(step)


def _gets_better(level: ScoreCurve, *, since: float) -> bool:
    """Return whether an accuracy still won a clear part of what was left when the loss was best."""
    before = level.at(since)
    return recent_gain(level) is not None and level.end - before >= STILL_WINS * (1.0 - before)


def _fell_together(rose: Worsening, training: TrainingState) -> bool:
    """Return whether the loss fell with that of training before it rose; a delayed one only rises."""
    train = training.loss if training.loss is not None else training.curve
    if train.is_level is not rose.curve.is_level:  # no training loss: the fall itself must do
        return True
    is_same = rose.curve.score.quantity == train.score.quantity and rose.best <= 0
    if is_same and CLOSE * abs(rose.best) <= abs(train.at(rose.step)):
        return True  # hardly above that of training, which may be a mean over the steps before
    gained = gain_until(rose.curve, rose.step)
    return gained >= TOGETHER * gain_until(train, rose.step)


def _stays(worse: Worsening, training: TrainingState) -> bool:
    """Return whether the curve stayed worse, and training kept what it had meanwhile."""
    return recovery_of(worse) < RECOVERS and training.goes_on(worse.step)


def _improving(found: JudgedCurves, training: TrainingState | None) -> Judgement | None:
    """Return that a held-out curve gets better, the accuracy before the loss.

    Where training is fit and the accuracy has not learned, a falling loss alone may be that of shrinking
    logits
    (weight decay), and counts as rest.
    """
    level = found.level
    is_fit = training is not None and training.is_fit()
    curves = (level,) if level is not None and is_fit and not has_learned(level) else (level, found.loss)
    for curve in curves:
        if curve is None or (gained := recent_gain(curve)) is None:
            continue
        levels = f"from {curve.said(curve.end - gained)} to {curve.said(curve.end)}"
        because = f"{curve.metric} went {levels} over the last third of its evaluations."
        return Judgement(outlook=Outlook.IMPROVING, curve=curve, because=because)
    return None


def _resting(main: ScoreCurve, training: TrainingState) -> Judgement:
    """Return the outlook of a held-out curve that neither worsens nor gets better."""
    train = training.curve
    if not training.has_learned:
        because = f"{train.metric} has not left its start ({train.said(train.end)}): nothing is learned yet."
        return Judgement(outlook=Outlook.CANNOT_TELL, curve=main, because=because)
    if _follows(main, training):
        followed = f"{train.metric} ({train.said(train.end)})"
        because = f"{main.metric} ({main.said(main.end)}) follows {followed} and did not get worse."
        return Judgement(outlook=Outlook.GENERALIZES, curve=main, because=because)
    since = "" if training.fit_at is None else f" since step {training.fit_at:.0f}"
    state = "is fit" if training.is_fit() else "has learned"
    because = (
        f"The training set {state}{since} ({train.metric} {train.said(train.end)}); {main.metric} rests at "
        f"{main.said(main.end)} and has lost nothing that it had learned."
    )
    return Judgement(outlook=Outlook.MAY_STILL_GENERALIZE, curve=main, because=because)


def _follows(main: ScoreCurve, training: TrainingState) -> bool:
    """Return whether the held-out curve gained about what training gained."""
    train = training.curve if training.curve.is_level == main.is_level else training.loss
    if train is None or train.is_level is not main.is_level:
        return main.is_level and has_learned(main) and main.end >= FOLLOWS
    if main.is_level and main.end >= CLOSE * train.end and train.end > 0:
        return True
    gained = main.end - float(main.progress[0])
    return gained > 0 and gained >= FOLLOWS * (train.end - float(train.progress[0]))

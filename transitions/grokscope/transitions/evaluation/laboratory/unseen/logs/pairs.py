"""A training and a held-out curve of one score, as one person logs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grokscope.transitions.evaluation.laboratory.family import LabRun, Truth
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import (
    between,
    decades,
    happens,
    pick,
    whole,
)
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps, grid
from grokscope.transitions.evaluation.laboratory.unseen.curves.noise import (
    Noise,
    counted,
    heavy,
    smoothed,
    spread,
)
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import (
    Curve,
    as_frame,
    company,
    restarted,
    with_glitches,
    without_stretch,
)
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import COUNTED, Score

Shape = Callable[[Steps], Floats]
"""A curve without noise, in shares (or nats), by step."""

_MANY = 20
"""Evaluations from which on a training curve may be logged between them."""
_PLENTY = 60
"""Evaluations from which on some may be missing."""
_QUIET = 12.0
"""A drawn gain is at least so many standard deviations of the noise: a person sees it at a glance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a pair of curves is logged.

    Attributes:
        score: Names and unit.
        steps: Where the held-out curve is evaluated.
        train_steps: Where the training curve is logged.
        noise: Of the held-out curve.
        train_noise: Of the training curve.
        average: Weight of the moving average of the training curve; 0 for none.
    """

    score: Score
    steps: Steps
    train_steps: Steps
    noise: Noise
    train_noise: Noise
    average: float = 0.0


def flat(level: float) -> Shape:
    """Return a curve that stays at ``level``.

    >>> flat(0.5)(np.array([1, 2])).tolist()
    [0.5, 0.5]
    """
    return lambda steps: np.full(len(steps), level)


def draw_noise(rng: np.random.Generator, gain: float, *, is_counted: bool, loudest: float = 1.0) -> Noise:
    """Return noise beside which a change of ``gain`` is plain.

    Args:
        rng: Source of the draw.
        gain: The change, in shares or nats.
        is_counted: Whether the noise may be that of counting right answers.
        loudest: Greatest standard deviation, as a part of what is allowed at most.

    >>> bool(draw_noise(np.random.default_rng(0), 1.0, is_counted=False)(np.random.default_rng(0),
    ...     np.zeros(99)).std() < 0.2)
    True
    """
    most = loudest * gain / _QUIET
    deviation = decades(rng, 0.02, 1.0) * most
    choice = pick(rng, ("even", "even", "even", "counted", "slow", "heavy"))
    if choice == "counted" and is_counted:
        return counted(whole(rng, int(0.25 / most**2) + 1, int(10.0 / most**2) + 2))
    if choice == "slow":
        return spread(deviation, memory=between(rng, 0.3, 0.95))
    return heavy(deviation) if choice == "heavy" else spread(deviation)


def draw_watch(
    rng: np.random.Generator, score: Score, steps: Steps, gain: float, *, loudest: float = 1.0
) -> Watch:
    """Return a way to log a pair whose held-out curve gains ``gain`` and is evaluated at ``steps``.

    >>> from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_score
    >>> rng = np.random.default_rng(0)
    >>> watch = draw_watch(rng, draw_score(rng, "f1"), np.arange(1, 50), 0.8)
    >>> watch.steps.size
    49
    """
    is_counted = score.kind in COUNTED
    noise = draw_noise(rng, gain, is_counted=is_counted, loudest=loudest)
    same = Watch(score=score, steps=steps, train_steps=steps, noise=noise, train_noise=spread(0.0))
    habit = pick(rng, ("same", "same", "clean", "offset", "minibatch", "average"))
    if habit == "clean":
        return same
    if habit == "offset" and len(steps) > _MANY:
        between_steps = steps[:-1] + np.maximum(np.diff(steps) // 2, 0)
        same = replace(same, train_steps=np.unique(between_steps))
    elif habit == "minibatch" and is_counted:
        return replace(same, train_noise=counted(whole(rng, 64, 1024)))
    elif habit == "average":
        dense = _dense(steps, whole(rng, 800, 1500))
        loud = spread(between(rng, 0.01, 0.05))
        return replace(same, train_steps=dense, train_noise=loud, average=between(rng, 0.3, 0.8))
    return replace(same, train_noise=draw_noise(rng, 1.0, is_counted=is_counted, loudest=0.3))


def _dense(steps: Steps, count: int) -> Steps:
    """Return ``count`` steps over the stretch of ``steps``: as even as they are, or dense at first."""
    gaps = np.diff(steps)
    start = int(steps[0] - gaps[0])
    habit = "linear" if gaps.max() <= 1.5 * gaps.min() + 2 else "mixed"
    return max(start, 0) + grid(habit, count, float(steps[-1]) - max(start, 0))


def written(rng: np.random.Generator, watch: Watch, train: Shape, test: Shape) -> list[Curve]:
    """Return the two curves as logged.

    >>> from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_score
    >>> rng = np.random.default_rng(0)
    >>> watch = draw_watch(rng, draw_score(rng, "f1"), np.arange(1, 50), 0.8)
    >>> len(written(rng, watch, lambda steps: steps / 50, lambda steps: steps / 60))
    2
    """
    shares = watch.train_noise(rng, train(watch.train_steps))
    shares = smoothed(shares, watch.average) if watch.average else shares
    held_out = watch.noise(rng, test(watch.steps))
    tell = watch.score.tell
    return [
        Curve(name=watch.score.train, steps=watch.train_steps, values=tell(shares)),
        Curve(name=watch.score.test, steps=watch.steps, values=tell(held_out)),
    ]


def lab_run(
    rng: np.random.Generator,
    curves: Sequence[Curve],
    truth: Truth,
    *,
    quiet: tuple[float, float] | None = None,
    is_messy: bool = False,
) -> LabRun:
    """Return the run of ``curves``, with other curves beside them and what goes wrong in logs.

    Args:
        rng: Source of the draws.
        curves: What says something.
        truth: What is true of them.
        quiet: Between which steps nothing happens, so that evaluations may be missing there.
        is_messy: Whether something goes wrong for certain.

    >>> from grokscope.schemas import Pattern
    >>> curve = Curve(name="a", steps=np.arange(9), values=np.ones(9))
    >>> lab_run(np.random.default_rng(0), [curve], Truth(pattern=Pattern.OTHER)).truth.pattern.value
    'other'
    """
    often = 0.9 if is_messy else 0.1
    kept = list(curves)
    if quiet is not None and quiet[0] < quiet[1] and happens(rng, often):
        kept = [
            without_stretch(rng, curve, *quiet) if len(curve.steps) > _PLENTY else curve for curve in kept
        ]
    if happens(rng, often):
        kept = [restarted(rng, curve, 0.0) for curve in kept]
    if happens(rng, often):
        kept = [with_glitches(rng, curve) for curve in kept]
    return LabRun(points=as_frame([*kept, *company(rng, curves[-1].steps)]), truth=truth)

"""Families of ordinary learning: train and held-out curves rise together, at whatever level; some overfit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Kind, Pattern
from grokscope.transitions.curves.series import Floats, Integers
from grokscope.transitions.evaluation.laboratory.development.parts.clocks import Clock
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.rises import Rise, relaxing, straight
from grokscope.transitions.evaluation.laboratory.development.parts.scores import (
    ACCURACY,
    ERROR,
    F1,
    PER_CENT,
    R2,
    Score,
)
from grokscope.transitions.evaluation.laboratory.development.parts.settings import Logged, lab_run, near_best
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.synthetic import Spacing

Rng = np.random.Generator
Between = tuple[float, float]
TOGETHER = Truth(pattern=Pattern.COMPREHENSION, is_negative=True)
EPOCHS = (Spacing.LINEAR,)
MANY = 40
"""Evaluations below which a training is logged once an epoch, and the first epoch learns much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """An ordinary training, between what its parts are drawn.

    Attributes:
        start: Score by chance, both curves.
        train: Where the training curve ends.
        test: Where the held-out curve ends.
        noise: Largest standard deviation of the held-out curve.
        evaluations: Least and most.
        scores: How it may be logged.
    """

    start: tuple[float, ...]
    train: Between
    test: Between
    noise: float = 0.012
    evaluations: tuple[int, int] = (40, 300)
    scores: tuple[Score, ...] = (ACCURACY, ACCURACY, PER_CENT)

    def __call__(self, rng: Rng) -> LabRun:
        """Draw one."""
        return lab_run(logged(rng, self, *curves(rng, self)), TOGETHER)


def curves(rng: Rng, kind: Training) -> tuple[Integers, Floats, Floats]:
    """Return steps, training and held-out curve without noise: one course, the held-out one no later."""
    at, width, is_log = 10 ** rng.uniform(0.5, 3.5), rng.uniform(0.9, 1.3), bool(rng.integers(2))
    # Held-out accuracy gains most while the rule is learned, less while single examples are.
    courses = [
        Rise(at=share * at, width=share * width) if is_log else relaxing(share * at) for share in (1.0, 0.85)
    ]
    last = at * 10 ** rng.uniform(1.0, 1.6)
    is_short = kind.evaluations[1] < MANY
    clock = Clock(
        begin=max(at / 30, 1.0),
        last=last,
        onset=last if is_short else last / 12,
        evaluations=kind.evaluations,
        spacings=EPOCHS if is_short else (*EPOCHS * 2, Spacing.LOG),
    )
    steps, start = clock.steps(rng), float(rng.choice(kind.start))
    train, test = (
        start + (rng.uniform(*end) - start) * course.share(steps)
        for end, course in zip((kind.train, kind.test), courses, strict=True)
    )
    return steps, train, test


def logged(rng: Rng, kind: Training, steps: Integers, train: Floats, test: Floats) -> list[Logged]:
    """Return both curves with noise, under names that somebody uses."""
    score = kind.scores[int(rng.integers(len(kind.scores)))]
    seen, held_out = score.pair(rng)
    quiet, loud = Noise(size=rng.uniform(0.0, 0.004)), Noise(size=rng.uniform(0.001, kind.noise))
    return [
        (seen, steps, score.express(quiet.on_shares(train, rng))),
        (held_out, steps, score.express(loud.on_shares(test, rng))),
    ]


def _overfitting(kind: Training, loss: Between) -> Callable[[Rng], LabRun]:
    """The held-out curve loses a part of what it gained after its best, while train goes on."""

    def draw(rng: Rng) -> LabRun:
        steps, train, test = curves(rng, kind)
        lost = rng.uniform(*loss)
        begin = float(steps[-1]) * rng.uniform(0.1, 0.3)
        later = np.clip(np.log(np.maximum(steps, 1) / begin) / np.log(steps[-1] / begin), 0, 1)
        test = test - lost * later
        event = ("overfitting", near_best(steps, test, within=0.25 * lost))
        truth = Truth(
            pattern=Pattern.COMPREHENSION,
            accept=frozenset({Pattern.OTHER}),
            events=(event,),
            is_negative=True,
        )
        return lab_run(logged(rng, kind, steps, train, test), truth)

    return draw


def _fine_tuned(rng: Rng) -> LabRun:
    """Good from the first evaluation on, a little better later."""
    last = 10 ** rng.uniform(1.5, 4.0)
    steps = Clock(last=last, onset=last / 10, evaluations=(20, 200), spacings=EPOCHS).steps(rng)
    start = rng.uniform(0.75, 0.88)
    rise = Rise(at=last / 8, width=1.0).share(steps)
    train = start + (rng.uniform(0.97, 1.0) - start) * rise
    test = start - 0.01 + rng.uniform(0.03, 0.08) * Rise(at=last / 10, width=0.9).share(steps)
    kind = Training(start=(start,), train=(1, 1), test=(1, 1), noise=0.006)
    truth = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.COMPREHENSION}), is_negative=True)
    return lab_run(logged(rng, kind, steps, train, test), truth)


def _from_first_epoch(rng: Rng) -> LabRun:
    """Both are at .7 when they are first evaluated; chance was never logged."""
    steps = np.arange(1, int(rng.integers(20, 120)))
    course = straight(0.9, float(steps[-1])).share(steps) ** 0.7
    train, test = 0.7 + rng.uniform(0.22, 0.28) * course, 0.69 + rng.uniform(0.18, 0.22) * course
    kind = Training(start=(0.7,), train=(1, 1), test=(1, 1), noise=0.005)
    truth = Truth(pattern=Pattern.COMPREHENSION, accept=frozenset({Pattern.OTHER}), is_negative=True)
    return lab_run(logged(rng, kind, steps, train, test), truth)


def _u_shaped(rng: Rng) -> LabRun:
    """Epoch-wise double descent under label noise, by accuracy: up, down as train fits, up again."""
    fit = 10 ** rng.uniform(2.0, 3.0)
    steps = Clock(last=fit * 60, onset=fit / 10, evaluations=(120, 400), spacings=(Spacing.LOG,)).steps(rng)
    first, valley = rng.uniform(0.55, 0.7), rng.uniform(0.3, 0.42)
    test = 0.1 + (first - 0.1) * straight(1.0, fit / 6).share(steps)
    test -= (first - valley) * Rise(at=fit / 2, width=0.5).share(steps)
    test += (rng.uniform(0.72, 0.85) - valley) * Rise(at=8 * fit, width=0.5).share(steps)
    train = 0.1 + 0.9 * Rise(at=fit / 4, width=1.0).share(steps)
    kind = Training(start=(0.1,), train=(1, 1), test=(1, 1), noise=0.008)
    truth = Truth(
        pattern=Pattern.OTHER,
        accept=frozenset({Pattern.COMPREHENSION, Pattern.GROKKING}),
        events=((Kind.DOUBLE_DESCENT.value, (fit / 2, 8 * fit)),),
    )
    return lab_run(logged(rng, kind, steps, train, test), truth)


_VISION = Training(start=(0.1,), train=(0.93, 1.0), test=(0.75, 0.92))
_IMAGENET = Training(start=(0.001, 0.01), train=(0.72, 0.85), test=(0.68, 0.78))
_CIFAR100 = Training(start=(0.01,), train=(0.99, 1.0), test=(0.5, 0.65))
_TEXT = Training(start=(0.5, 0.25), train=(0.95, 1.0), test=(0.8, 0.93), scores=(ACCURACY, F1))
_TABLE = Training(start=(0.5, 0.3), train=(0.8, 0.92), test=(0.75, 0.87), scores=(ACCURACY, ERROR))
_REGRESSION = Training(start=(0.16,), train=(0.9, 0.99), test=(0.7, 0.88), scores=(R2,))
_DIGITS = Training(start=(0.1,), train=(0.97, 1.0), test=(0.94, 0.99), noise=0.006)
_FEW_EPOCHS = Training(start=(0.1,), train=(0.9, 1.0), test=(0.7, 0.9), evaluations=(10, 30))
_SMALL = Training(start=(0.1, 0.2), train=(0.99, 1.0), test=(0.55, 0.8))

FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("vision", "A convolutional network: train .95, held-out .8.", _VISION),
        ("imagenet", "ImageNet: train .79, held-out .74; never fit.", _IMAGENET),
        ("cifar-100", "Train 1.0, held-out .6, together.", _CIFAR100),
        ("text", "Text classification by accuracy or F1.", _TEXT),
        ("tables", "A network on a table, by accuracy or error rate.", _TABLE),
        ("regression", "R² of an ordinary regression.", _REGRESSION),
        ("digits", "Digits: both near 1 at the end.", _DIGITS),
        (
            "overfitting",
            "Small data: the held-out curve worsens after its best.",
            _overfitting(_SMALL, (0.1, 0.2)),
        ),
        ("overfitting-text", "Text: an early best, then a slow loss.", _overfitting(_TEXT, (0.08, 0.15))),
        ("few-epochs", "Ten to thirty epochs, much learned in the first.", _FEW_EPOCHS),
        ("digits-from-the-first-epoch", "From .7 after an epoch to .9, both together.", _from_first_epoch),
        ("fine-tuned", "Fine-tuning: good from the start.", _fine_tuned),
        ("u-shaped-accuracy", "Accuracy falls while noisy labels are fit, and rises again.", _u_shaped),
    )
)
"""Learning without a wait."""

"""A run that fits its training set, waits, and then generalizes: its parameters and its truth."""

from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.family import LabRun, Truth
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import between, decades, pick, whole
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Habit, Steps, grid, watched
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats, Form, Rise
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import draw_watch, lab_run, written
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_chance, draw_score

Span = tuple[float, float]

_FITTED = 0.97
_ENOUGH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ranges that a delayed generalization is drawn from.

    Attributes:
        kinds: Kinds of scores.
        train_top, test_top: Final levels, as shares.
        chance: Level of the start; by the kind of the score if ``None``.
        early: Share of the held-out gain that comes with the fit.
        ratio: Middle of the late rise over the step of the fit.
        width: Of the late rise, in natural logarithms of the step; in shares of its middle if ``is_linear``.
        is_linear: Whether the late rise has its form in steps instead of in their logarithm.
        forms: Of the late rise.
        habits: Grids.
        count: Evaluations.
        after: Last step over the step where the late rise is done.
        loudest: Greatest noise, as a part of what is allowed at most.
    """

    kinds: tuple[str, ...] = ("accuracy",)
    train_top: Span = (0.985, 1.0)
    test_top: Span = (0.93, 1.0)
    chance: Span | None = None
    early: Span = (0.0, 0.03)
    ratio: Span = (5.0, 60.0)
    width: Span = (0.06, 0.3)
    forms: tuple[Form, ...] = ("logistic", "gompertz", "ramp")
    habits: tuple[Habit, ...] = ("log", "mixed")
    count: tuple[int, int] = (60, 600)
    after: Span = (1.3, 4.0)
    loudest: float = 1.0
    is_linear: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """One delayed generalization without noise.

    Attributes:
        fit, late: The two changes.
        chance, train_top, test_top: Levels, as shares.
        early: Share of the held-out gain that comes with the fit.
    """

    fit: Rise
    late: Rise
    chance: float
    train_top: float
    test_top: float
    early: float

    @property
    def gain(self) -> float:
        """Height of the late rise, as a share.

        >>> fit, late = Rise(middle=10.0, width=0.2), Rise(middle=500.0, width=0.2)
        >>> Waited(fit=fit, late=late, chance=0.0, train_top=1.0, test_top=0.8, early=0.5).gain
        0.4
        """
        return (self.test_top - self.chance) * (1.0 - self.early)

    @property
    def fitted(self) -> float:
        """Step at which the training curve has reached its own ceiling.

        >>> fit, late = Rise(middle=10.0, width=0.2), Rise(middle=500.0, width=0.2)
        >>> waited = Waited(fit=fit, late=late, chance=0.0, train_top=1.0, test_top=0.8, early=0.5)
        >>> round(waited.fitted)
        20
        """
        return self.fit.when(_FITTED)

    def train(self, steps: Steps) -> Floats:
        """Return the training curve.

        >>> fit, late = Rise(middle=10.0, width=0.2), Rise(middle=500.0, width=0.2)
        >>> waited = Waited(fit=fit, late=late, chance=0.0, train_top=1.0, test_top=0.8, early=0.5)
        >>> waited.train(np.array([10])).tolist()
        [0.5]
        """
        return self.chance + (self.train_top - self.chance) * self.fit.at(steps)

    def test(self, steps: Steps) -> Floats:
        """Return the held-out curve.

        >>> fit, late = Rise(middle=10.0, width=0.2), Rise(middle=500.0, width=0.2)
        >>> waited = Waited(fit=fit, late=late, chance=0.0, train_top=1.0, test_top=0.8, early=0.5)
        >>> waited.test(np.array([500])).round(3).tolist()
        [0.6]
        """
        share = self.early * self.fit.at(steps) + (1.0 - self.early) * self.late.at(steps)
        return self.chance + (self.test_top - self.chance) * share


def draw_waited(rng: np.random.Generator, wait: Wait, kind: str) -> Waited:
    """Return one delayed generalization from the ranges of ``wait``, scored by ``kind``.

    >>> waited = draw_waited(np.random.default_rng(0), Wait(), "accuracy")
    >>> waited.fitted < waited.late.when(0.1)
    True
    """
    chance = draw_chance(rng, kind) if wait.chance is None else between(rng, *wait.chance)
    fit = Rise(middle=decades(rng, 20.0, 3000.0), width=between(rng, 0.12, 0.4))
    middle, width = fit.when(_FITTED) * decades(rng, *wait.ratio), between(rng, *wait.width)
    late = Rise(
        middle=middle,
        width=width * middle if wait.is_linear else width,
        form=pick(rng, wait.forms),
        is_linear=wait.is_linear,
    )
    return Waited(
        fit=fit,
        late=late,
        chance=chance,
        train_top=between(rng, *wait.train_top),
        test_top=between(rng, *wait.test_top),
        early=between(rng, *wait.early),
    )


def draw_steps(rng: np.random.Generator, wait: Wait, waited: Waited, end: float) -> Steps:
    """Return a grid to ``end`` on which the wait is seen; denser than drawn where it would not be.

    >>> rng = np.random.default_rng(0)
    >>> waited = draw_waited(rng, Wait(), "accuracy")
    >>> watched(draw_steps(rng, Wait(), waited, 1e6), waited.fitted, waited.late.when(0.1)) >= 8
    True
    """
    habit, count = pick(rng, wait.habits), whole(rng, *wait.count)
    first = max(1.0, waited.fit.when(0.02) * between(rng, 0.2, 0.8))
    steps = grid(habit, count, end, first=first)
    enough = min(_ENOUGH, max(5, count // 3))
    while watched(steps, waited.fitted, waited.late.when(0.1)) < enough:
        count = count + count // 5 + 1
        steps = grid(habit, count, end, first=first)
    return steps


def grokked(waited: Waited) -> Truth:
    """Return the truth of a delayed generalization: its pattern and its dates, exactly.

    >>> fit, late = Rise(middle=10.0, width=0.2), Rise(middle=500.0, width=0.2)
    >>> waited = Waited(fit=fit, late=late, chance=0.0, train_top=1.0, test_top=0.8, early=0.5)
    >>> grokked(waited).midpoint
    500.0
    """
    return Truth(pattern=Pattern.GROKKING, onset=waited.late.when(0.1), midpoint=waited.late.when(0.5))


def draw_grokking(rng: np.random.Generator, wait: Wait, *, is_messy: bool = False) -> LabRun:
    """Return one run that groks, from the ranges of ``wait``.

    >>> draw_grokking(np.random.default_rng(0), Wait()).truth.pattern.value
    'grokking'
    """
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    end = waited.late.when(0.97) * between(rng, *wait.after)
    steps = draw_steps(rng, wait, waited, end)
    watch = draw_watch(rng, score, steps, waited.gain, loudest=wait.loudest)
    curves = written(rng, watch, waited.train, waited.test)
    quiet = (waited.late.when(0.99), end)
    return lab_run(rng, curves, grokked(waited), quiet=quiet, is_messy=is_messy)

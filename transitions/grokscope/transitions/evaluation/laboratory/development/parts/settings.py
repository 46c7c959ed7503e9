"""What families share: a run whose training set is fit long before its held-out set, and its record."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.schemas import Kind, Pattern
from grokscope.transitions.curves.series import Floats, Integers
from grokscope.transitions.evaluation.laboratory.development.parts.clocks import ALL, Clock
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise, any_noise
from grokscope.transitions.evaluation.laboratory.development.parts.rises import Rise, Stages
from grokscope.transitions.evaluation.laboratory.development.parts.scores import Score
from grokscope.transitions.evaluation.laboratory.family import Interval, LabRun, Truth
from grokscope.transitions.evaluation.synthetic import Shape, Spacing

Logged = tuple[str, Integers, Floats]
"""Name, steps and values of a curve."""
FIT_SHARE = 0.99
FIT_WIDTH = 0.4
"""Decades that the training curve takes from 10 % to 90 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A run to be filled in.

    Attributes:
        rng: Of everything that is still to be drawn.
        steps: Of its evaluations.
        fit: Step at which the training curve has made 99 % of its way.
        rise: The held-out rise, long after the fit.
        noise: Of its evaluations.
        chance: Share of the possible that guessing gives.
    """

    rng: np.random.Generator
    steps: Integers
    fit: float
    rise: Rise
    noise: Noise
    chance: float

    @property
    def last(self) -> float:
        """Return the last step."""
        return float(self.steps[-1])

    def train(self, *, top: float = 1.0, steps: Integers | None = None) -> Floats:
        """Return the training curve without noise, from chance to ``top``."""
        done = fit_rise(self.fit).share(self.steps if steps is None else steps)
        return self.chance + (top - self.chance) * done

    def test(self, *, plateau: float, top: float, rise: Rise | Stages | None = None) -> Floats:
        """Return the held-out curve without noise: to ``plateau`` with the fit, later to ``top``."""
        early = (plateau - self.chance) * fit_rise(self.fit).share(self.steps)
        late = (top - plateau) * (self.rise if rise is None else rise).share(self.steps)
        return self.chance + early + late

    def measured(self, score: Score, train: Floats, test: Floats) -> list[Logged]:
        """Return both curves with noise, under names that somebody uses for ``score``."""
        seen, held_out = score.pair(self.rng)
        quiet = Noise(size=self.noise.size / 4, persistence=self.noise.persistence)
        return [
            (seen, self.steps, score.express(quiet.on_shares(train, self.rng))),
            (held_out, self.steps, score.express(self.noise.on_shares(test, self.rng))),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Between what a setting is drawn.

    Attributes:
        delay: From the fit to the middle of the rise, decades.
        width: Of the rise from 10 % to 90 %, decades.
        after: From the end of the rise to that of the log, decades.
        begin: From the fit to the first of evaluations at powers, decades; ``None``: from step 1 or later.
        most_noise: Largest standard deviation.
        chances: Shares that guessing may give.
        evaluations: Least and most.
        spacings: Of the evaluations.
    """

    delay: tuple[float, float] = (0.75, 1.3)
    width: tuple[float, float] = (0.1, 0.5)
    after: tuple[float, float] = (0.25, 0.7)
    begin: tuple[float, float] | None = None
    most_noise: float = 0.03
    chances: tuple[float, ...] = (0.0, 0.01, 0.1, 0.2, 0.5)
    evaluations: tuple[int, int] = (60, 600)
    spacings: tuple[Spacing, ...] = ALL


USUAL = Ranges()


def fit_rise(fit: float) -> Rise:
    """Return the rise of a training curve that is ``FIT_SHARE`` done at step ``fit``.

    >>> fit_rise(300.0).step_of(FIT_SHARE).__round__()
    300
    """
    return Rise(at=fit / Rise(at=1.0, width=FIT_WIDTH).step_of(FIT_SHARE), width=FIT_WIDTH)


def setting(rng: np.random.Generator, ranges: Ranges = USUAL) -> Setting:
    """Draw a run: the fit, after a delay the rise, after the rise a rest, and when it is evaluated."""
    fit = 10 ** rng.uniform(2.0, 4.0)
    shape = list(Shape)[int(rng.integers(len(Shape)))]
    rise = Rise(at=fit * 10 ** rng.uniform(*ranges.delay), width=rng.uniform(*ranges.width), shape=shape)
    last = rise.step_of(0.99) * 10 ** rng.uniform(*ranges.after)
    begin = rng.uniform(-math.log10(fit), -0.7) if ranges.begin is None else rng.uniform(*ranges.begin)
    steps = Clock(
        begin=fit * 10**begin,
        last=last,
        onset=rise.step_of(0.1),
        evaluations=ranges.evaluations,
        spacings=ranges.spacings,
    ).steps(rng)
    noise, chance = any_noise(rng, most=ranges.most_noise), float(rng.choice(ranges.chances))
    return Setting(rng=rng, steps=steps, fit=fit, rise=rise, noise=noise, chance=chance)


def grokked(rise: Rise | Stages, *, accept: Iterable[Pattern] = ()) -> Truth:
    """Return what is true of a run whose held-out curve rises late."""
    return Truth(
        pattern=Pattern.GROKKING,
        accept=frozenset(accept),
        onset=rise.step_of(0.1),
        midpoint=rise.step_of(0.5),
        events=((Kind.GENERALIZATION.value, course_of(rise)),),
    )


def course_of(rise: Rise | Stages) -> Interval:
    """Return the steps between which a change is going on."""
    return rise.step_of(0.05), rise.step_of(0.95)


def lab_run(curves: Iterable[Logged], truth: Truth) -> LabRun:
    """Return a run of these curves."""
    frames = [pl.DataFrame({"metric": name, "step": s, "value": v}) for name, s, v in curves]
    return LabRun(points=pl.concat(frames), truth=truth)


def near_best(steps: Integers, values: Floats, *, within: float) -> Interval:
    """Return the steps around the highest of ``values`` that are no more than ``within`` below it.

    >>> near_best(np.arange(5), np.array([0.0, 0.9, 1.0, 0.8, 0.0]), within=0.15)
    (1.0, 2.0)
    """
    best = int(np.argmax(values))
    low = np.flatnonzero(values < values[best] - within)
    before, after = low[low < best], low[low > best]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(steps) - 1
    return float(steps[first]), float(steps[last])

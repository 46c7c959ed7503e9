"""Kinds of runs on which intervals are counted: one kind of grid, noise or course each, under plain names."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.rises import (
    FAST_START,
    Rise,
    Stages,
    straight,
)
from grokscope.transitions.evaluation.laboratory.development.parts.scores import ACCURACY, Score
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    Setting,
    grokked,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.synthetic import Shape, Spacing

Rng = np.random.Generator
NoiseOf = Callable[[Rng], Noise]
_PLAIN = Score(names=(("train/accuracy", "test/accuracy"),), express=ACCURACY.express)
_LOG = (Spacing.LOG,)
MEMORIZED = Truth(pattern=Pattern.MEMORIZATION, is_negative=True)
_LONG = Ranges(evaluations=(100, 600), spacings=_LOG, most_noise=0.05, chances=(0.01, 0.1, 0.2))

_TWENTY_FIVE = replace(_LONG, evaluations=(25, 25), begin=(-0.7, -0.3), delay=(0.6, 1.0), width=(0.2, 0.6))


def _run(run: Setting, rise: Rise | Stages | None = None) -> LabRun:
    rise = run.rise if rise is None else rise
    test = run.test(plateau=run.chance, top=run.rng.uniform(0.95, 1.0), rise=rise)
    return lab_run(run.measured(_PLAIN, run.train(), test), grokked(rise))


def _binomial(rng: Rng) -> Noise:
    return Noise(size=0.0, examples=int(rng.integers(20, 200)))


def _independent(rng: Rng) -> Noise:
    return Noise(size=rng.uniform(0.002, 0.03))


def _persistent(persistence: float) -> NoiseOf:
    return lambda rng: Noise(size=rng.uniform(0.01, 0.03), persistence=persistence)


def _on(ranges: Ranges) -> Callable[[Rng], LabRun]:
    return lambda rng: _run(setting(rng, ranges))


def _quiet(noise_of: NoiseOf) -> Callable[[Rng], LabRun]:
    def draw(rng: Rng) -> LabRun:
        run = replace(setting(rng, replace(_LONG, chances=(0.1, 0.2, 0.5))), noise=noise_of(rng))
        flat = np.full(len(run.steps), run.chance)
        return lab_run(run.measured(_PLAIN, run.train(), flat), MEMORIZED)

    return draw


def _shaped(shape: str) -> Callable[[Rng], LabRun]:
    def draw(rng: Rng) -> LabRun:
        run = setting(rng, _LONG)
        return _run(run, replace(run.rise, shape=shape))

    return draw


def _noisy(noise_of: NoiseOf) -> Callable[[Rng], LabRun]:
    def draw(rng: Rng) -> LabRun:
        run = setting(rng, replace(_LONG, chances=(0.1, 0.2, 0.5)))
        return _run(replace(run, noise=noise_of(rng)))

    return draw


def _linear_time(rng: Rng) -> LabRun:
    run = setting(rng, replace(_LONG, spacings=(Spacing.LINEAR,), after=(0.2, 0.5)))
    return _run(run, replace(run.rise, is_linear=True, width=rng.uniform(0.1, 0.6), shape=Shape.LOGISTIC))


def _few_even(width: tuple[float, float]) -> Callable[[Rng], LabRun]:
    def draw(rng: Rng) -> LabRun:
        run = setting(rng, replace(_LONG, width=width, after=(0.1, 0.3)))
        steps = np.round(np.linspace(0.0, run.last, 25)).astype(np.int64)
        return _run(replace(run, steps=steps))

    return draw


def _creep(rng: Rng) -> LabRun:
    run = setting(rng, replace(_LONG, delay=(1.5, 2.0), after=(0.8, 1.2)))
    if rng.integers(2):
        return _run(run, straight(run.fit * rng.uniform(1.5, 3.0), run.last * rng.uniform(0.6, 0.9)))
    return _run(run, replace(run.rise, width=rng.uniform(1.0, 1.6), shape=Shape.LOGISTIC))


def _slingshots(rng: Rng) -> LabRun:
    run = setting(rng, replace(_LONG, evaluations=(150, 600)))
    train, test = run.train(), run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    hit = (rng.random(len(test)) < rng.uniform(0.01, 0.08)) & (run.steps > 2 * run.fit)
    deep = np.where(hit, rng.uniform(0.1, 0.8, len(hit)), 1.0)
    logged = run.measured(_PLAIN, train * np.maximum(deep, 0.4), test * deep)
    return lab_run(logged, grokked(run.rise))


def _two_stages(rng: Rng) -> LabRun:
    run = setting(rng, replace(_LONG, width=(0.1, 0.25), after=(0.9, 1.3)))
    half = float(rng.choice([rng.uniform(0.25, 0.38), rng.uniform(0.62, 0.75)]))
    second = Rise(at=run.rise.at * 10 ** rng.uniform(0.5, 0.8), width=rng.uniform(0.1, 0.25))
    return _run(run, Stages(rises=(run.rise, second), heights=(half, 1 - half)))


QUIET: Sequence[Family] = tuple(
    Family(name=name, says=f"The held-out set is never learned; {says}.", draw=_quiet(noise))
    for name, says, noise in (
        ("quiet, independent", "independent noise", _independent),
        ("quiet, binomial", "20 to 200 examples", _binomial),
        ("quiet, AR(1) .8", "persistent noise", _persistent(0.8)),
        ("quiet, AR(1) .95", "very persistent noise", _persistent(0.95)),
    )
)
"""Runs in which a live alarm is false."""
KINDS: Sequence[Family] = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("log", "100 to 600 evaluations at powers.", _on(_LONG)),
        ("linear", "A rise in linear time, evaluated every so many steps.", _linear_time),
        (
            "mixed",
            "At powers first, then every so many steps.",
            _on(replace(_LONG, spacings=(Spacing.MIXED,))),
        ),
        ("25 evaluations", "25 evaluations at powers.", _on(_TWENTY_FIVE)),
        ("25 even evaluations", "25 evaluations, every so many steps.", _few_even((0.2, 0.35))),
        ("short plateau", "... and a plateau of one to three of them.", _few_even((0.4, 0.6))),
        (
            "few evaluations",
            "10 to 16 evaluations, long delays.",
            _on(replace(_LONG, evaluations=(10, 16), delay=(1.0, 1.4))),
        ),
        ("AR(1) .8", "Noise with an autocorrelation of .8.", _noisy(_persistent(0.8))),
        ("AR(1) .95", "... and of .95.", _noisy(_persistent(0.95))),
        ("binomial", "A held-out set of 20 to 200 examples.", _noisy(_binomial)),
        ("creep", "Straight in log step over decades.", _creep),
        ("slingshots", "1 to 8 % of evaluations of both fall far.", _slingshots),
        ("two stages", "The rise comes in two stages.", _two_stages),
        ("logistic", "A logistic rise.", _shaped(Shape.LOGISTIC)),
        ("Gompertz", "A rise with a sharp foot and a long tail.", _shaped(Shape.GOMPERTZ)),
        ("fast start", "A rise that begins at once and relaxes.", _shaped(FAST_START)),
    )
)
"""What the nominal 95 % has to hold on, each by itself."""

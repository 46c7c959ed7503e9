"""Families that lose what they had: for good, again and again, slowly; or once, and get it back."""

from dataclasses import replace

import numpy as np

from grokscope.schemas import Kind, Pattern
from grokscope.transitions.curves.series import Floats
from grokscope.transitions.evaluation.laboratory.development.parts.clocks import Clock
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.rises import Rise
from grokscope.transitions.evaluation.laboratory.development.parts.scores import ACCURACY, PER_CENT
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    Setting,
    grokked,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, Interval, LabRun, Truth
from grokscope.transitions.evaluation.synthetic import Spacing

Rng = np.random.Generator
_LONG = Ranges(
    evaluations=(150, 600), after=(0.8, 1.2), most_noise=0.02, width=(0.1, 0.3), chances=(0.0, 0.01, 0.1, 0.2)
)


def _begin_of_loss(rng: Rng, run: Setting) -> float:
    """Return a step after the rise with a fifth of the evaluations behind it or more."""
    done = run.rise.step_of(0.99)
    after = run.steps[run.steps > 1.2 * done]
    return float(after[int(len(after) * rng.uniform(0.1, 0.6))])


def _collapsed(run: Setting, bracket: Interval) -> Truth:
    truth = grokked(run.rise)
    return replace(truth, pattern=Pattern.COLLAPSE, events=(*truth.events, (Kind.COLLAPSE.value, bracket)))


def _drawn(rng: Rng) -> tuple[Setting, Floats, Floats, float]:
    run = setting(rng, _LONG)
    return (
        run,
        run.train(),
        run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0)),
        _begin_of_loss(rng, run),
    )


def _before(run: Setting, step: float) -> float:
    """Return the evaluation before ``step``."""
    return float(run.steps[max(int(np.searchsorted(run.steps, step)) - 1, 0)])


def _for_good(rng: Rng) -> LabRun:
    run, train, test, lost = _drawn(rng)
    rest = run.chance + rng.uniform(0.0, 0.4) * (1 - run.chance)
    test = np.where(run.steps >= lost, np.minimum(rest, test), test)
    if rng.integers(2):
        train = np.where(run.steps >= lost, 0.2 + 0.7 * test, train)
    return lab_run(run.measured(ACCURACY, train, test), _collapsed(run, (_before(run, lost), lost)))


def _again_and_again(rng: Rng) -> LabRun:
    """From some step on a third to two thirds of the evaluations of both curves are lost."""
    run, train, test, begin = _drawn(rng)
    hit = (run.steps >= begin) & (rng.random(len(test)) < rng.uniform(0.35, 0.65))
    deep = np.where(hit, rng.uniform(0.05, 0.5, len(hit)), 1.0)
    sixth = float(run.steps[np.flatnonzero(hit)[5]])
    logged = run.measured(ACCURACY, train * np.maximum(deep, 0.3), test * deep)
    return lab_run(logged, _collapsed(run, (_before(run, begin), sixth)))


def _late_chronic(rng: Rng) -> LabRun:
    """The same after a long good past, in the last tenth to quarter of a log with even steps."""
    run, train, test, _ = _drawn(rng)
    begin = float(run.steps[int(len(test) * rng.uniform(0.75, 0.88))])
    begin = max(begin, 1.3 * run.rise.step_of(0.99))
    hit = (run.steps >= begin) & (rng.random(len(test)) < rng.uniform(0.5, 0.75))
    deep = np.where(hit, rng.uniform(0.0, 0.4, len(hit)), 1.0)
    sixth = float(run.steps[np.flatnonzero(hit)[:6][-1]])
    logged = run.measured(ACCURACY, train, test * deep)
    return lab_run(logged, _collapsed(run, (_before(run, begin), sixth)))


def _slowly(rng: Rng) -> LabRun:
    """The data set was cut: held-out accuracy decays over a good part of the log, train stays."""
    run, train, test, begin = _drawn(rng)
    end = begin + (run.last - begin) * rng.uniform(0.4, 0.8)
    lost = rng.uniform(0.6, 0.9) * np.clip((run.steps - begin) / (end - begin), 0, 1)
    score = (ACCURACY, PER_CENT)[int(rng.integers(2))]
    logged = run.measured(score, train, test - np.minimum(lost, test))
    return lab_run(logged, _collapsed(run, (begin, (begin + end) / 2)))


def _one_dip(rng: Rng) -> LabRun:
    """Both fall far, for at least six evaluations, and come back for good."""
    run, train, test, begin = _drawn(rng)
    first = int(np.searchsorted(run.steps, begin))
    length = int(rng.integers(6, max(7, len(test[first:]) // 8)))
    inside = np.zeros(len(test), dtype=bool)
    inside[first : first + length] = True
    deep = rng.uniform(0.1, 0.4)
    logged = run.measured(
        ACCURACY, np.where(inside, 0.3 + deep, train), np.where(inside, np.minimum(deep, test), test)
    )
    truth = grokked(run.rise)
    dip = ("dip", (_before(run, begin), float(run.steps[first + length])))
    return lab_run(logged, replace(truth, events=(*truth.events, dip)))


def _ordinary_lost(rng: Rng) -> LabRun:
    """Both rise together, and fall to chance for good."""
    last = 10 ** rng.uniform(3.0, 5.0)
    steps = Clock(last=last, onset=last / 30, evaluations=(80, 400), spacings=(Spacing.LINEAR,)).steps(rng)
    rise = Rise(at=last / 20, width=1.0).share(steps)
    lost = int(len(steps) * rng.uniform(0.5, 0.8))
    train, test = 0.1 + rng.uniform(0.8, 0.9) * rise, 0.1 + rng.uniform(0.65, 0.78) * rise
    train[lost:], test[lost:] = 0.1, 0.1
    noise, names = Noise(size=rng.uniform(0.002, 0.01)), ACCURACY.pair(rng)
    bracket = (float(steps[lost - 1]), float(steps[lost]))
    truth = Truth(pattern=Pattern.COLLAPSE, events=((Kind.COLLAPSE.value, bracket),))
    curves = zip(names, (train, test), strict=True)
    return lab_run([(name, steps, noise.on_shares(shares, rng)) for name, shares in curves], truth)


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("collapse", "What was learned late is lost at once and for good.", _for_good),
        ("collapse-chronic", "... is lost in a third of the evaluations and more.", _again_and_again),
        ("collapse-late-chronic", "... the same, after a long good past.", _late_chronic),
        ("collapse-slow", "... decays slowly while train stays.", _slowly),
        ("collapse-ordinary", "What was learned together falls to chance for good.", _ordinary_lost),
        ("one-large-dip", "One large dip that recovers.", _one_dip),
    )
)
"""Something learned is lost."""

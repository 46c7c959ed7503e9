"""Families that log losses only: pretraining, delayed generalization, double descent, divergence."""

import numpy as np

from grokscope.schemas import Kind, Pattern
from grokscope.transitions.curves.series import Floats
from grokscope.transitions.evaluation.laboratory.development.parts.clocks import Clock
from grokscope.transitions.evaluation.laboratory.development.parts.rises import Rise, straight
from grokscope.transitions.evaluation.laboratory.development.parts.scores import BITS, LOSSES, PERPLEXITIES
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    course_of,
    grokked,
    lab_run,
    near_best,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.synthetic import Spacing

Rng = np.random.Generator
NOTHING = Truth(pattern=Pattern.OTHER, is_negative=True)
ORDINARY = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.COMPREHENSION}), is_negative=True)


def _jitter(rng: Rng, values: Floats, size: float) -> Floats:
    """Losses scatter by a share of themselves."""
    return values * np.exp(rng.normal(0.0, size, len(values)))


def _names(rng: Rng) -> tuple[str, str]:
    return LOSSES[int(rng.integers(len(LOSSES)))]


def _pretraining(rng: Rng) -> LabRun:
    """A power law from the first evaluation on, with warm-up, cool-down and a spike or two."""
    last = 10 ** rng.uniform(3.5, 5.5)
    steps = Clock(last=last, onset=last / 50, evaluations=(60, 500), spacings=(Spacing.LINEAR,)).steps(rng)
    floor, scale = rng.uniform(1.5, 3.0), last / 10 ** rng.uniform(2.5, 3.5)
    loss = floor + (10.8 - floor) * (1 + steps / scale) ** -rng.uniform(0.4, 0.7)
    loss -= rng.uniform(0.0, 0.12) * np.clip((steps / last - 0.8) / 0.2, 0, 1)
    train = _jitter(rng, loss, rng.uniform(0.002, 0.01))
    train[rng.integers(len(train) // 4, len(train), 2)] += rng.choice([0.0, 0.5])
    val = _jitter(rng, loss * rng.uniform(1.0, 1.04), 0.002)
    seen, held_out = _names(rng)
    kind = int(rng.integers(4))
    if kind == 0:
        return lab_run([(PERPLEXITIES[0][1], steps, np.exp(val))], NOTHING)
    if kind == 1:
        return lab_run(
            [(BITS[0][0], steps, train / np.log(2) / 4), (BITS[0][1], steps, val / np.log(2) / 4)], ORDINARY
        )
    return lab_run([(seen, steps, train), (held_out, steps, val)], ORDINARY)


def _resumed(rng: Rng) -> LabRun:
    """The log begins in the middle of a long training: nearly flat."""
    begin, last = 30_000, 30_000 + int(10 ** rng.uniform(3.5, 4.5))
    steps = np.unique(np.linspace(begin, last, int(rng.integers(60, 300))).round().astype(np.int64))
    loss = rng.uniform(1.8, 3.0) - 0.04 * np.log(steps / begin)
    seen, held_out = _names(rng)
    curves = [(seen, steps, _jitter(rng, loss, 0.01)), (held_out, steps, _jitter(rng, loss + 0.05, 0.004))]
    return lab_run(curves, ORDINARY)


def _delayed(rng: Rng) -> LabRun:
    """Train loss vanishes; the held-out loss worsens, waits, and falls to nearly nothing."""
    run = setting(rng, Ranges(chances=(0.0,), delay=(0.9, 1.4), evaluations=(80, 600)))
    start, top = rng.uniform(2.0, 5.0), rng.uniform(1.2, 3.0)
    done = run.rise.share(run.steps)
    hill = start * (1 + (top - 1) * Rise(at=run.fit, width=0.4).share(run.steps))
    end = rng.uniform(0.01, 0.1) * start
    test = hill - (top * start - end) * done
    train = start * (1 - straight(0.9, run.fit).share(run.steps)) + start * 10 ** rng.uniform(-4, -2)
    seen, held_out = _names(rng)
    size = rng.uniform(0.01, 0.05)
    curves = [
        (seen, run.steps, _jitter(rng, train, 2 * size)),
        (held_out, run.steps, _jitter(rng, test, size)),
    ]
    return lab_run(curves, grokked(run.rise, accept=(Pattern.OTHER,)))


def _double_descent(rng: Rng) -> LabRun:
    """The held-out loss falls, rises to a peak as train is fit, and falls below its first valley."""
    fit = 10 ** rng.uniform(2.0, 3.5)
    steps = Clock(last=fit * 60, onset=fit / 10, evaluations=(100, 500), spacings=(Spacing.LOG,)).steps(rng)
    start, valley, peak = rng.uniform(2.2, 4.6), rng.uniform(1.0, 1.3), rng.uniform(1.9, 3.0)
    rises = straight(1.0, fit / 6), Rise(at=fit / 2, width=0.4), Rise(at=6 * fit, width=0.5)
    down, up, again = (rise.share(steps) for rise in rises)
    test = start - (start - valley) * down + (peak - valley) * up - (peak - rng.uniform(0.3, 0.7)) * again
    train = start * (1 - straight(0.9, fit).share(steps)) + 0.01
    bracket = near_best(steps, np.where(steps > fit / 5, test, 0.0), within=0.3 * (peak - valley))
    seen, held_out = _names(rng)
    truth = Truth(
        pattern=Pattern.OTHER,
        accept=frozenset({Pattern.GROKKING, Pattern.COMPREHENSION}),
        events=((Kind.DOUBLE_DESCENT.value, bracket), (Kind.GENERALIZATION.value, course_of(rises[2]))),
    )
    size = rng.uniform(0.005, 0.02)
    return lab_run(
        [(seen, steps, _jitter(rng, train, 0.05)), (held_out, steps, _jitter(rng, test, size))], truth
    )


def _overfitting(rng: Rng) -> LabRun:
    """The held-out loss has its best early and rises from there to the end."""
    last = 10 ** rng.uniform(2.0, 4.5)
    steps = Clock(
        last=last, onset=last / 30, evaluations=(60, 300), spacings=(Spacing.LINEAR, Spacing.LOG)
    ).steps(rng)
    start, floor = rng.uniform(1.5, 4.5), rng.uniform(0.4, 0.6)
    best = last * rng.uniform(0.05, 0.2)
    down = Rise(at=best / 4, width=0.8).share(steps)
    later = np.clip(np.log(np.maximum(steps, 1) / best) / np.log(last / best), 0, 1)
    test = start * (1 - (1 - floor) * down) + start * rng.uniform(0.3, 1.2) * later
    train = start * (1 - Rise(at=best / 3, width=1.0).share(steps)) + 0.005
    bracket = near_best(steps, -test, within=0.2 * float(test[-1] - np.min(test)))
    seen, held_out = _names(rng)
    truth = Truth(
        pattern=Pattern.OTHER,
        accept=frozenset({Pattern.MEMORIZATION, Pattern.COMPREHENSION}),
        events=(("overfitting", bracket),),
        is_negative=True,
    )
    size = rng.uniform(0.003, 0.015)
    return lab_run(
        [(seen, steps, _jitter(rng, train, 0.03)), (held_out, steps, _jitter(rng, test, size))], truth
    )


def _diverged(rng: Rng) -> LabRun:
    """The losses stop being numbers and stay so."""
    last = 10 ** rng.uniform(3.0, 5.0)
    steps = Clock(last=last, onset=last / 30, evaluations=(60, 300), spacings=(Spacing.LINEAR,)).steps(rng)
    loss = 2.0 + 8.0 * (1 + steps / (last / 300)) ** -0.5
    first = int(len(steps) * rng.uniform(0.4, 0.85))
    train, val = _jitter(rng, loss, 0.01), _jitter(rng, loss + 0.05, 0.005)
    train[first:], val[first:] = np.nan, np.nan
    seen, held_out = _names(rng)
    event = (Kind.DIVERGENCE.value, (float(steps[first - 1]), float(steps[first])))
    truth = Truth(
        pattern=Pattern.OTHER,
        accept=frozenset({Pattern.COMPREHENSION, Pattern.COLLAPSE}),
        events=(event,),
        is_negative=True,
    )
    return lab_run([(seen, steps, train), (held_out, steps, val)], truth)


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        (
            "pretraining",
            "Losses, bits or perplexity of a language model: a power law, no event.",
            _pretraining,
        ),
        ("resumed-pretraining", "The log begins in the middle: nearly flat.", _resumed),
        ("delayed-losses", "The held-out loss worsens, waits and falls.", _delayed),
        ("double-descent", "The held-out loss has a peak between two valleys.", _double_descent),
        ("overfitting-losses", "The held-out loss rises from its best on.", _overfitting),
        ("diverged", "The losses become NaN.", _diverged),
    )
)
"""Runs known by their losses."""

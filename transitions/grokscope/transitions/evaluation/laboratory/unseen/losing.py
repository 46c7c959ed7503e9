"""Runs that lose what they had: for good, again and again, slowly, or only for a while."""

from dataclasses import replace

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import (
    between,
    decades,
    happens,
    pick,
    whole,
)
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps, bracket, grid
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats, Rise, hollow, settling
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import draw_watch, lab_run, written
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_score
from grokscope.transitions.evaluation.laboratory.unseen.waits import Wait, Waited, draw_waited, grokked

_KINDS = ("accuracy", "per_cent", "error", "f1", "exact_match")


def _learned(rng: np.random.Generator, kind: str) -> tuple[Waited, Truth]:
    """Return a run that learned something, late or with the fit, and its truth so far."""
    waited = draw_waited(rng, Wait(chance=(0.0, 0.25), test_top=(0.8, 1.0), width=(0.08, 0.25)), kind)
    if happens(rng, 0.5):
        return waited, grokked(waited)
    together = replace(waited, late=waited.fit, early=0.0)
    return together, Truth(pattern=Pattern.COMPREHENSION, is_negative=True)


def _collapsed(truth: Truth, interval: tuple[float, float]) -> Truth:
    return replace(truth, pattern=Pattern.COLLAPSE, events=(("collapse", interval),))


def _gone(rng: np.random.Generator, width: tuple[float, float]) -> LabRun:
    """Return a run that loses most of its gain for good, within a change of ``width``."""
    score = draw_score(rng, *_KINDS)
    waited, truth = _learned(rng, score.kind)
    done = waited.late.when(0.99)
    fall = Rise(middle=done * between(rng, 3.0, 8.0), width=between(rng, *width))
    lost, takes_train = between(rng, 0.6, 1.0), happens(rng, 0.4)
    end = fall.when(0.97) * between(rng, 1.3, 2.5)
    habit = pick(rng, ("linear", "mixed"))
    steps = grid(habit, whole(rng, 120, 1500), end)

    def test(at: Steps) -> Floats:
        return waited.test(at) - lost * (waited.test_top - waited.chance) * fall.at(at)

    def train(at: Steps) -> Floats:
        held = 1.0 - (lost * fall.at(at) if takes_train else 0.0)
        return waited.chance + (waited.train(at) - waited.chance) * held

    watch = draw_watch(rng, score, steps, waited.gain, loudest=0.5)
    interval = bracket(steps, fall.when(0.02), fall.when(0.6))
    return lab_run(rng, written(rng, watch, train, test), _collapsed(truth, interval))


def _permanent(rng: np.random.Generator) -> LabRun:
    return _gone(rng, (0.01, 0.04))


def _slow(rng: np.random.Generator) -> LabRun:
    return _gone(rng, (0.12, 0.25))


def _lost_evaluations(rng: np.random.Generator, count: int, share: float) -> Floats:
    """Return how much each of ``count`` evaluations loses: runs of one to four, about ``share`` in all."""
    lost, index = np.zeros(count), 0
    while index < count:
        length = int(rng.integers(1, 5))
        lost[index : index + length] = between(rng, 0.4, 0.95)
        index += length + max(1, round(rng.exponential(2.5 * (1.0 - share) / share)))
    return lost


def _chronic_run(rng: np.random.Generator, begins: tuple[float, float], share: tuple[float, float]) -> LabRun:
    """Return a run that loses a part of its evaluations again and again from some point of the log on."""
    score = draw_score(rng, *_KINDS)
    waited, truth = _learned(rng, score.kind)
    done = waited.late.when(0.99)
    steps = grid("linear", whole(rng, 250, 1500), max(1500.0, done * between(rng, 4.0, 8.0)))
    begin = int(len(steps) * between(rng, *begins))
    begin = max(begin, int(np.searchsorted(steps, done * 1.2)))
    lost = np.zeros(len(steps))
    lost[begin:] = _lost_evaluations(rng, len(steps) - begin, between(rng, *share))

    def test(at: Steps) -> Floats:
        return waited.test(at) - (waited.test_top - waited.chance) * np.interp(at, steps, lost)

    watch = draw_watch(rng, score, steps, waited.gain, loudest=0.4)
    slack = max(8, (len(steps) - begin) // 10)
    first, last = max(begin - slack // 2, 0), min(begin + slack, len(steps) - 1)
    interval = (float(steps[first]), float(steps[last]))
    return lab_run(rng, written(rng, watch, waited.train, test), _collapsed(truth, interval))


def _chronic(rng: np.random.Generator) -> LabRun:
    return _chronic_run(rng, (0.3, 0.5), (0.3, 0.6))


def _late_chronic(rng: np.random.Generator) -> LabRun:
    return _chronic_run(rng, (0.7, 0.82), (0.6, 0.8))


def _dipping(rng: np.random.Generator, *, is_long: bool) -> LabRun:
    """Return ordinary learning with one long dip that recovers, or some that last an evaluation or two."""
    score = draw_score(rng, *_KINDS)
    steps = grid("linear", whole(rng, 120, 800), decades(rng, 1e3, 1e6))
    end, each = float(steps[-1]), float(steps[-1]) / len(steps)
    scale, chance, top = end * between(rng, 0.03, 0.06), between(rng, 0.0, 0.2), between(rng, 0.75, 0.98)
    start = between(rng, 0.4, 0.6) * end
    dips = [(start, start + max(0.05 * end, 5.5 * each))]
    if not is_long:
        starts = rng.uniform(0.35, 0.9, whole(rng, 1, max(1, len(steps) // 80))) * end
        dips = [(float(at), float(at) + 1.9 * each) for at in starts]
    depth = between(rng, 0.5, 0.95)

    def test(at: Steps) -> Floats:
        held = np.prod([1.0 - depth * hollow(at, *dip) for dip in dips], axis=0)
        return chance + (top - chance) * settling(at, scale) * held

    watch = draw_watch(rng, score, steps, top - chance, loudest=0.5)
    events = (("dip", bracket(steps, *dips[0])),) if is_long else ()
    truth = Truth(pattern=Pattern.COMPREHENSION, events=events, is_negative=True)
    curves = written(rng, watch, lambda at: chance + (0.99 - chance) * settling(at, scale), test)
    return lab_run(rng, curves, truth)


def _long_dip(rng: np.random.Generator) -> LabRun:
    return _dipping(rng, is_long=True)


def _short_dips(rng: np.random.Generator) -> LabRun:
    return _dipping(rng, is_long=False)


FAMILIES = (
    Family(name="collapse-permanent", says="Lost within a few evaluations, for good.", draw=_permanent),
    Family(name="collapse-slow", says="Lost slowly, for good.", draw=_slow),
    Family(name="collapse-chronic", says="Lost again and again from mid-log on.", draw=_chronic),
    Family(name="collapse-late-chronic", says="Chronic only after a long good time.", draw=_late_chronic),
    Family(name="dip-long", says="One long deep dip that recovers.", draw=_long_dip),
    Family(name="dip-short", says="A few dips of an evaluation or two.", draw=_short_dips),
)
"""Families of runs that lose something."""

"""Families that generalize late, by accuracy: every ceiling, course of the rise and kind of noise."""

from dataclasses import replace

import numpy as np

from grokscope.transitions.curves.series import Floats
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.rises import (
    FAST_START,
    Rise,
    Stages,
    straight,
)
from grokscope.transitions.evaluation.laboratory.development.parts.scores import ACCURACY, PER_CENT
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    Setting,
    grokked,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun
from grokscope.transitions.evaluation.synthetic import Shape, Spacing

Rng = np.random.Generator


def _usual(rng: Rng) -> LabRun:
    run = setting(rng)
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    return _graded(run, run.train(), test, grades=rng.choice([0, 0, 0, 1]))


def _graded(run: Setting, train: Floats, test: Floats, *, grades: int) -> LabRun:
    score = PER_CENT if grades else ACCURACY
    return lab_run(run.measured(score, train, test), grokked(run.rise))


def _low_ceiling(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.0, 0.01, 0.1), most_noise=0.02))
    top = rng.uniform(0.86, 0.95)
    return _graded(run, run.train(top=top), run.test(plateau=run.chance, top=rng.uniform(top, 1)), grades=0)


def _binary_in_part(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.5,), most_noise=0.012))
    return _graded(run, run.train(), run.test(plateau=0.5, top=rng.uniform(0.66, 0.85)), grades=0)


def _high_plateau(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.0, 0.01, 0.1), most_noise=0.02))
    return _graded(
        run, run.train(), run.test(plateau=rng.uniform(0.25, 0.45), top=rng.uniform(0.9, 1)), grades=0
    )


def _few_digits(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.1,), most_noise=0.01, width=(0.1, 0.4)))
    plateau = rng.uniform(0.6, 0.75)
    return _graded(run, run.train(), run.test(plateau=plateau, top=rng.uniform(0.88, 0.96)), grades=0)


def _two_stages(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(most_noise=0.02, width=(0.1, 0.25), after=(0.9, 1.3)))
    half = float(rng.choice([rng.uniform(0.25, 0.38), rng.uniform(0.62, 0.75)]))
    second = Rise(at=run.rise.at * 10 ** rng.uniform(0.5, 0.8), width=rng.uniform(0.1, 0.25))
    rise = Stages(rises=(run.rise, second), heights=(half, 1 - half))
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0), rise=rise)
    return lab_run(run.measured(ACCURACY, run.train(), test), grokked(rise))


def _creep(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(delay=(1.5, 2.0), after=(0.8, 1.2), most_noise=0.015, chances=(0.0, 0.01, 0.1)))
    begin, end = run.fit * rng.uniform(1.5, 3.0), run.last * rng.uniform(0.6, 0.9)
    rise = straight(begin, end)
    test = run.test(plateau=run.chance, top=rng.uniform(0.85, 1.0), rise=rise)
    return lab_run(run.measured(ACCURACY, run.train(), test), grokked(rise))


def _few_evaluations(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(delay=(0.9, 1.3), evaluations=(14, 25), spacings=(Spacing.LOG,)))
    return _graded(run, run.train(), run.test(plateau=run.chance, top=rng.uniform(0.95, 1)), grades=0)


def _linear_time(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(spacings=(Spacing.LINEAR,), evaluations=(100, 600), after=(0.2, 0.5)))
    rise = replace(run.rise, is_linear=True, width=rng.uniform(0.1, 0.6), shape=Shape.LOGISTIC)
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0), rise=rise)
    return lab_run(run.measured(ACCURACY, run.train(), test), grokked(rise))


def _fast_start(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(after=(0.5, 0.8)))
    rise = replace(run.rise, shape=FAST_START)
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0), rise=rise)
    return lab_run(run.measured(ACCURACY, run.train(), test), grokked(rise))


def _slingshots(rng: Rng) -> LabRun:
    """Both fall for an evaluation or two, every now and then, from before the rise on."""
    run = setting(rng, Ranges(evaluations=(150, 600), most_noise=0.02, after=(0.4, 0.7)))
    train, test = run.train(), run.test(plateau=run.chance, top=rng.uniform(0.97, 1.0))
    hit = (rng.random(len(test)) < rng.uniform(0.005, 0.03)) & (run.steps > 2 * run.fit)
    deep = np.where(hit, rng.uniform(0.3, 0.9, len(hit)), 1.0)
    return _graded(run, train * np.maximum(deep, 0.5), test * deep, grades=0)


def _wandering(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(evaluations=(150, 600), chances=(0.1, 0.2, 0.5)))
    noise = Noise(size=rng.uniform(0.01, 0.03), persistence=rng.uniform(0.8, 0.95))
    run = replace(run, noise=noise)
    return _graded(run, run.train(), run.test(plateau=run.chance, top=rng.uniform(0.95, 1)), grades=0)


def _small_held_out(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(most_noise=0.005, chances=(0.01, 0.1, 0.2)))
    run = replace(run, noise=Noise(size=0.0, examples=int(rng.integers(20, 200))))
    return _graded(run, run.train(), run.test(plateau=run.chance, top=rng.uniform(0.95, 1)), grades=0)


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("grokking", "Held-out accuracy rises long after the fit, as a share or in per cent.", _usual),
        ("grokking-low-ceiling", "Train accuracy under dropout never passes .95.", _low_ceiling),
        ("grokking-binary-in-part", "Two classes: from .5 to about .75, late.", _binary_in_part),
        ("grokking-high-plateau", "A third was learned with the fit, the rest comes late.", _high_plateau),
        ("grokking-few-digits", "Digits from few samples: .7 with the fit, .9 much later.", _few_digits),
        ("grokking-two-stages", "The late rise comes in two stages.", _two_stages),
        ("grokking-creep", "The rise is straight in log step, over decades.", _creep),
        ("grokking-few-evaluations", "Evaluated 14 to 25 times.", _few_evaluations),
        ("grokking-linear-time", "A rise in linear time, evaluated every so many steps.", _linear_time),
        ("grokking-fast-start", "The rise begins at once and relaxes to its top.", _fast_start),
        ("grokking-slingshots", "Both curves fall for an evaluation or two, again and again.", _slingshots),
        ("grokking-wandering", "Noise that persists from one evaluation to the next.", _wandering),
        ("grokking-small-held-out", "A held-out set of 20 to 200 examples.", _small_held_out),
    )
)
"""Late generalization by accuracy."""

"""Families in which the held-out set is not learned: memorization, confusion, training that goes on."""

from dataclasses import replace

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.rises import straight
from grokscope.transitions.evaluation.laboratory.development.parts.scores import (
    ACCURACY,
    ERROR,
    EXACT_MATCH,
    PER_CENT,
)
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    Setting,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth

Rng = np.random.Generator
MEMORIZED = Truth(pattern=Pattern.MEMORIZATION, is_negative=True)
CONFUSED = Truth(pattern=Pattern.CONFUSION, is_negative=True)
UNFIT = Truth(pattern=Pattern.OTHER, is_negative=True)


def _flat(run: Setting) -> np.ndarray:
    return np.full(len(run.steps), run.chance)


def _memorized(rng: Rng) -> LabRun:
    run = setting(rng)
    score = (ACCURACY, PER_CENT, ERROR, EXACT_MATCH)[int(rng.integers(4))]
    return lab_run(run.measured(score, run.train(top=rng.uniform(0.97, 1.0)), _flat(run)), MEMORIZED)


def _memorized_wandering(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.1, 0.2, 0.5), evaluations=(100, 600)))
    run = replace(run, noise=Noise(size=rng.uniform(0.01, 0.02), persistence=rng.uniform(0.8, 0.95)))
    return lab_run(run.measured(ACCURACY, run.train(), _flat(run)), MEMORIZED)


def _memorized_small_set(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.01, 0.1, 0.2)))
    run = replace(run, noise=Noise(size=0.0, examples=int(rng.integers(20, 200))))
    seen, held_out = ACCURACY.pair(rng)
    test = run.noise.on_shares(_flat(run), rng)
    return lab_run([(seen, run.steps, run.train()), (held_out, run.steps, test)], MEMORIZED)


def _memorized_glitches(rng: Rng) -> LabRun:
    """One to three evaluations in a row read 1: the wrong set was evaluated."""
    run = setting(rng, Ranges(evaluations=(150, 600), chances=(0.0, 0.01, 0.1)))
    curves = run.measured(ACCURACY, run.train(), _flat(run))
    first = int(len(run.steps) * rng.uniform(0.5, 0.95))
    curves[1][2][first : first + int(rng.integers(1, 4))] = 1.0
    return lab_run(curves, MEMORIZED)


def _confused(rng: Rng) -> LabRun:
    run = setting(rng)
    score = (ACCURACY, PER_CENT, ERROR)[int(rng.integers(3))]
    return lab_run(run.measured(score, _flat(run), _flat(run)), CONFUSED)


def _confused_wandering(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.1, 0.2, 0.5), evaluations=(60, 400)))
    run = replace(run, noise=Noise(size=rng.uniform(0.01, 0.02), persistence=rng.uniform(0.5, 0.9)))
    return lab_run(run.measured(ACCURACY, _flat(run), _flat(run)), CONFUSED)


def _still_fitting(rng: Rng) -> LabRun:
    """Train climbs to the end of the log and is far from fit; the held-out curve stays at chance."""
    run = setting(rng, Ranges(chances=(0.0, 0.01, 0.1), most_noise=0.015))
    top = run.chance + rng.uniform(0.25, 0.65) * (1 - run.chance)
    train = run.chance + (top - run.chance) * straight(run.last / 100, run.last).share(run.steps)
    return lab_run(run.measured(ACCURACY, train, _flat(run)), UNFIT)


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("memorized", "Train is fit, held-out stays where it was; several scores.", _memorized),
        ("memorized-wandering", "... with noise that persists.", _memorized_wandering),
        ("memorized-small-set", "... on a held-out set of 20 to 200 examples.", _memorized_small_set),
        ("memorized-glitches", "... and one to three evaluations in a row that read 1.", _memorized_glitches),
        ("confused", "Neither curve leaves its start.", _confused),
        ("confused-wandering", "... with noise that persists.", _confused_wandering),
        ("still-fitting", "Train is on its way and not fit, held-out is flat.", _still_fitting),
    )
)
"""Nothing held out is learned."""

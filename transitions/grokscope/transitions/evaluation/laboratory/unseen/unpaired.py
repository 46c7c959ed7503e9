"""Scores without a training curve: circuits, probes, rewards."""

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
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import bracket, grid
from grokscope.transitions.evaluation.laboratory.unseen.curves.noise import heavy, spread
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Rise, learning, settling
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import Curve
from grokscope.transitions.evaluation.laboratory.unseen.logs.names import REWARDS, UNPAIRED_SCORES
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import draw_noise, lab_run


def _changed(interval: tuple[float, float]) -> Truth:
    return Truth(pattern=Pattern.OTHER, events=(("phase_change", interval),))


def _circuit(rng: np.random.Generator) -> LabRun:
    """A score of one circuit: nothing, then within a narrow window nearly all."""
    rise = Rise(middle=decades(rng, 200.0, 2e4), width=between(rng, 0.05, 0.2))
    end = rise.when(0.97) * between(rng, 1.5, 6.0)
    steps = grid(pick(rng, ("log", "linear", "mixed")), whole(rng, 80, 600), end)
    start, top, unit = between(rng, 0.0, 0.1), between(rng, 0.5, 1.0), pick(rng, (1.0, 1.0, 100.0))
    noise = draw_noise(rng, top - start, is_counted=False, loudest=0.6)
    values = unit * noise(rng, start + (top - start) * rise.at(steps))
    curves = [Curve(name=pick(rng, UNPAIRED_SCORES), steps=steps, values=values)]
    if happens(rng, 0.5):
        loss = 8.0 - 5.0 * learning(steps, rise.middle / 10.0, 0.6) + 0.02 * rng.standard_normal(len(steps))
        curves.append(Curve(name=pick(rng, ("train/loss", "loss")), steps=steps, values=loss))
    return lab_run(rng, curves, _changed(bracket(steps, rise.when(0.05), rise.when(0.95))))


def _take_off(rng: np.random.Generator) -> LabRun:
    """A return that stays where a random policy is for long, and takes off."""
    end = decades(rng, 1e5, 1e7)
    middle = end * between(rng, 0.35, 0.65)
    rise = Rise(middle=middle, width=end * between(rng, 0.01, 0.03), is_linear=True)
    steps = grid("linear", whole(rng, 80, 1000), end)
    start, gain = pick(rng, (-200.0, -21.0, 0.0, 10.0)), decades(rng, 20.0, 3000.0)
    loud = heavy(between(rng, 0.005, 0.04))
    values = start + gain * loud(rng, rise.at(steps))
    curve = Curve(name=pick(rng, REWARDS), steps=steps, values=values)
    return lab_run(rng, [curve], _changed(bracket(steps, rise.when(0.05), rise.when(0.95))))


def _steady_reward(rng: np.random.Generator) -> LabRun:
    """A return that grows from the first episodes on."""
    steps = grid("linear", whole(rng, 40, 800), end := decades(rng, 1e5, 1e7))
    start, gain = pick(rng, (-200.0, 0.0, 15.0)), decades(rng, 20.0, 3000.0)
    loud = spread(between(rng, 0.01, 0.06), memory=between(rng, 0.0, 0.8))
    values = start + gain * loud(rng, settling(steps, end * between(rng, 0.1, 0.3)))
    curve = Curve(name=pick(rng, REWARDS), steps=steps, values=values)
    truth = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.COMPREHENSION}), is_negative=True)
    return lab_run(rng, [curve], truth)


def _flat_reward(rng: np.random.Generator) -> LabRun:
    """A return that never leaves the random policy's."""
    steps = grid("linear", whole(rng, 40, 800), decades(rng, 1e5, 1e7))
    loud = spread(1.0, memory=between(rng, 0.0, 0.5))
    values = pick(rng, (-200.0, -21.0, 0.0, 20.0)) + decades(rng, 0.1, 5.0) * loud(rng, np.zeros(len(steps)))
    truth = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.CONFUSION}), is_negative=True)
    return lab_run(rng, [Curve(name=pick(rng, REWARDS), steps=steps, values=values)], truth)


FAMILIES = (
    Family(name="unpaired-circuit", says="A circuit's score changes phase.", draw=_circuit),
    Family(name="unpaired-reward-take-off", says="A reward takes off late.", draw=_take_off),
    Family(name="unpaired-reward-steady", says="A reward grows from the start.", draw=_steady_reward),
    Family(name="unpaired-reward-flat", says="A reward never grows.", draw=_flat_reward),
)
"""Families of scores without a partner."""

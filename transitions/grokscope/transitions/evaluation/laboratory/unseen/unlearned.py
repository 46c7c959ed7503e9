"""Runs whose held-out curve never leaves its start."""

from dataclasses import replace

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import between, decades, pick, whole
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps, grid
from grokscope.transitions.evaluation.laboratory.unseen.curves.noise import Noise, counted, heavy, spread
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Rise, settling
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import Curve
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import (
    Watch,
    draw_watch,
    flat,
    lab_run,
    written,
)
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import Score, draw_chance, draw_score

_MEMORIZED = Truth(pattern=Pattern.MEMORIZATION, is_negative=True)
_LIKELY_MEMORIZED = replace(_MEMORIZED, accept=frozenset({Pattern.OTHER}))
_CONFUSED = Truth(pattern=Pattern.CONFUSION, is_negative=True)
_RISES = Truth(pattern=Pattern.OTHER, is_negative=True)


def _steps(rng: np.random.Generator, fit: Rise, most: int = 1500) -> Steps:
    end = fit.when(0.97) * decades(rng, 8.0, 200.0)
    habit = pick(rng, ("log", "linear", "mixed"))
    return grid(habit, whole(rng, 25, most), end, first=max(1.0, fit.when(0.02) / 2.0))


def _memorized(rng: np.random.Generator, score: Score, chance: float, noise: Noise, change: float) -> LabRun:
    """Return a run that fits its training set while the held-out curve goes from ``chance`` by ``change``."""
    fit = Rise(middle=decades(rng, 20.0, 5000.0), width=between(rng, 0.15, 0.5))
    steps, top = _steps(rng, fit), between(rng, 0.97, 1.0)
    watch = Watch(
        score=score, steps=steps, train_steps=steps, noise=noise, train_noise=spread(between(rng, 0.0, 0.01))
    )
    curves = written(
        rng,
        watch,
        lambda at: chance + (top - chance) * fit.at(at),
        lambda at: chance + change * fit.at(at),
    )
    # A log that begins after the fit does not show where the held-out curve started.
    truth = _MEMORIZED if steps[0] < fit.when(0.3) else _LIKELY_MEMORIZED
    return lab_run(rng, curves, truth, quiet=(fit.when(0.99), float(steps[-1])))


def _near_zero(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "exact_match", "error", "ranking", "per_cent")
    chance = between(rng, 0.005, 0.03)
    return _memorized(rng, score, chance, spread(chance * between(rng, 0.05, 0.3)), 0.0)


def _one_half(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "error", "per_cent")
    return _memorized(rng, score, 0.5, counted(whole(rng, 100, 5000)), 0.0)


def _below_chance(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "error", "area")
    return _memorized(rng, score, 0.5, spread(between(rng, 0.005, 0.02)), -between(rng, 0.03, 0.1))


def _within_noise(rng: np.random.Generator) -> LabRun:
    """A rise that nobody would see: less than half of the noise."""
    score = draw_score(rng, "accuracy", "per_cent", "f1")
    deviation = between(rng, 0.01, 0.03)
    chance = pick(rng, (0.1, 0.2, 0.25, 0.5))
    return _memorized(rng, score, chance, spread(deviation), deviation * between(rng, 0.1, 0.5))


def _slow_noise(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "per_cent", "area")
    noise = spread(between(rng, 0.01, 0.025), memory=between(rng, 0.7, 0.95))
    return _memorized(rng, score, pick(rng, (0.1, 0.25, 0.5)), noise, 0.0)


def _regression(rng: np.random.Generator) -> LabRun:
    """Explained variance of nothing: at zero or falling far below it."""
    score = draw_score(rng, "fit")
    return _memorized(rng, score, between(rng, -0.05, 0.0), heavy(0.01), -between(rng, 0.0, 0.5))


def _flat_both(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "error", "per_cent", "f1", "area", "success")
    chance = max(draw_chance(rng, score.kind), 0.005)
    steps = grid(pick(rng, ("log", "linear")), count := whole(rng, 10, 1000), decades(rng, count, 1e6))
    noise = pick(rng, (spread(0.01 * min(1.0, 10 * chance)), counted(whole(rng, 300, 5000))))
    watch = Watch(score=score, steps=steps, train_steps=steps, noise=noise, train_noise=noise)
    curves = written(rng, watch, flat(chance), flat(chance))
    loss = np.log(1.0 / max(chance, 0.01)) + 0.003 * rng.standard_normal(len(steps))
    return lab_run(rng, [Curve(name="train_loss", steps=steps, values=loss), *curves], _CONFUSED)


def _flat_slow(rng: np.random.Generator) -> LabRun:
    """Nothing learned, slowly wandering noise in both."""
    score = draw_score(rng, "accuracy", "per_cent", "fit")
    chance = max(draw_chance(rng, score.kind), -0.05)
    steps = grid("linear", count := whole(rng, 40, 800), decades(rng, count, 1e5))
    noise = spread(between(rng, 0.002, 0.015), memory=between(rng, 0.6, 0.95))
    watch = Watch(score=score, steps=steps, train_steps=steps, noise=noise, train_noise=noise)
    curves = written(rng, watch, flat(chance + 0.05), flat(chance + 0.05))
    return lab_run(rng, curves, _CONFUSED)


def _not_fit(rng: np.random.Generator) -> LabRun:
    """The training curve is on its way when the log ends; the held-out one has not moved."""
    score = draw_score(rng, "accuracy", "per_cent", "f1", "error")
    chance, reached = pick(rng, (0.01, 0.1, 0.25)), between(rng, 0.25, 0.5)
    steps = grid("linear", count := whole(rng, 30, 500), decades(rng, count, 1e5))
    end = float(steps[-1])
    watch = draw_watch(rng, score, steps, 0.15, loudest=0.8)
    curves = written(
        rng,
        watch,
        lambda at: chance + reached * (at / end) * settling(at, end * 0.3),
        flat(chance),
    )
    return lab_run(rng, curves, _RISES)


FAMILIES = (
    Family(name="memorized-near-zero", says="Many classes, held-out near zero.", draw=_near_zero),
    Family(name="memorized-one-half", says="Two classes, small held-out sets.", draw=_one_half),
    Family(name="memorized-below-chance", says="The fit makes it worse than chance.", draw=_below_chance),
    Family(name="memorized-within-noise", says="A rise smaller than the noise.", draw=_within_noise),
    Family(name="memorized-slow-noise", says="Correlated noise around the start.", draw=_slow_noise),
    Family(name="memorized-regression", says="Explained variance at or below zero.", draw=_regression),
    Family(name="confused-flat", says="Both at their start throughout.", draw=_flat_both),
    Family(name="confused-slow-noise", says="Both wander about their start.", draw=_flat_slow),
    Family(name="rising-not-fit", says="Train still rises, held-out flat.", draw=_not_fit),
)
"""Families of runs that do not generalize."""

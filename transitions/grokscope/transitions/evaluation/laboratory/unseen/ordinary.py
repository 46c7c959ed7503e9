"""Ordinary learning: the training and the held-out curve rise together, at whatever level."""

from dataclasses import dataclass

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
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Habit, grid
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Rise, learning, settling
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import Curve
from grokscope.transitions.evaluation.laboratory.unseen.logs.names import SHIFTS, TASKS
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import (
    Shape,
    draw_watch,
    flat,
    lab_run,
    written,
)
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_chance, draw_score

_TOGETHER = Truth(pattern=Pattern.COMPREHENSION, is_negative=True)
_ALSO_OTHER = Truth(pattern=Pattern.COMPREHENSION, accept=frozenset({Pattern.OTHER}), is_negative=True)


def _learned(start: float, top: float, scale: float, power: float) -> Shape:
    """Return a rise from ``start`` to ``top``: a quick part that comes to its end, and a slow tail."""
    return lambda steps: (
        start + (top - start) * (0.85 * settling(steps, scale, power) + 0.15 * learning(steps, scale))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What an ordinary run is drawn from: kinds of scores, levels at the end, and evaluations."""

    kinds: tuple[str, ...]
    train_top: tuple[float, float]
    test_top: tuple[float, float]
    count: tuple[int, int]
    habits: tuple[Habit, ...] = ("linear",)
    is_messy: bool = False


def _together(rng: np.random.Generator, plan: _Plan) -> LabRun:
    """Return a run whose curves rise on one scale, from chance to levels of their own."""
    score = draw_score(rng, *plan.kinds)
    chance = min(draw_chance(rng, score.kind), 0.34)
    train_top, test_top = between(rng, *plan.train_top), between(rng, *plan.test_top)
    steps = grid(
        pick(rng, plan.habits), evaluations := whole(rng, *plan.count), decades(rng, evaluations, 1e6)
    )
    scale, power = float(steps[-1]) * between(rng, 0.06, 0.16), between(rng, 0.7, 1.1)
    watch = draw_watch(rng, score, steps, test_top - chance)
    train = _learned(chance, train_top, scale, power)
    test = _learned(chance, test_top, scale * between(rng, 0.75, 1.1), power)
    quiet = (0.6 * steps[-1], float(steps[-1]))
    return lab_run(rng, written(rng, watch, train, test), _TOGETHER, quiet=quiet, is_messy=plan.is_messy)


def _images(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("accuracy", "per_cent", "error_per_cent"),
        train_top=(0.85, 1.0),
        test_top=(0.75, 0.97),
        count=(30, 300),
    )
    return _together(rng, plan)


def _low_level(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("accuracy", "f1", "fit"), train_top=(0.6, 0.82), test_top=(0.55, 0.78), count=(20, 200)
    )
    return _together(rng, plan)


def _wide_gap(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("accuracy", "per_cent", "f1", "error"),
        train_top=(0.98, 1.0),
        test_top=(0.5, 0.72),
        count=(25, 300),
    )
    return _together(rng, plan)


def _few_epochs(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("accuracy", "f1", "exact_match"), train_top=(0.8, 0.99), test_top=(0.7, 0.92), count=(8, 20)
    )
    return _together(rng, plan)


def _trees(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("fit", "ranking"),
        train_top=(0.8, 0.99),
        test_top=(0.6, 0.9),
        count=(100, 2000),
        habits=("linear", "log"),
    )
    return _together(rng, plan)


def _log_grid(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("accuracy", "error"),
        train_top=(0.9, 1.0),
        test_top=(0.8, 0.99),
        count=(60, 400),
        habits=("log", "mixed"),
    )
    return _together(rng, plan)


def _above_train(rng: np.random.Generator) -> LabRun:
    """Dropout and augmentation: the held-out curve lies above the training curve throughout."""
    plan = _Plan(
        kinds=("accuracy", "per_cent", "success"),
        train_top=(0.55, 0.8),
        test_top=(0.82, 0.96),
        count=(20, 300),
    )
    return _together(rng, plan)


def _messy(rng: np.random.Generator) -> LabRun:
    plan = _Plan(
        kinds=("accuracy", "error", "f1", "per_cent"),
        train_top=(0.8, 1.0),
        test_top=(0.6, 0.95),
        count=(120, 900),
        is_messy=True,
    )
    return _together(rng, plan)


def _still_rising(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "per_cent", "f1", "ranking")
    steps = grid("linear", count := whole(rng, 8, 60), decades(rng, count, 1e5))
    scale, top = float(steps[-1]) * between(rng, 0.8, 1.6), between(rng, 0.8, 1.0)
    watch = draw_watch(rng, score, steps, 0.3, loudest=0.8)

    def shape(level: float) -> Shape:
        return lambda at: 0.05 + (level - 0.05) * settling(at, scale, 0.9)

    return lab_run(rng, written(rng, watch, shape(top), shape(top * between(rng, 0.85, 1.0))), _TOGETHER)


def _abrupt(rng: np.random.Generator) -> LabRun:
    """Both curves wait at chance and jump at one time: enough data for a hard task."""
    score = draw_score(rng, "accuracy", "error", "exact_match")
    chance = pick(rng, (0.0, 0.1, 0.5))
    rise = Rise(middle=decades(rng, 300.0, 3e4), width=between(rng, 0.08, 0.3))
    end = rise.when(0.97) * between(rng, 1.5, 6.0)
    steps = grid(pick(rng, ("log", "linear", "mixed")), whole(rng, 50, 500), end)
    top, gap = between(rng, 0.9, 1.0), between(rng, 0.0, 0.05)
    watch = draw_watch(rng, score, steps, top - chance)
    curves = written(
        rng,
        watch,
        lambda at: chance + (top - chance) * rise.at(at),
        lambda at: chance + (top - gap - chance) * rise.at(at),
    )
    return lab_run(rng, curves, _ALSO_OTHER)


def _fine_tuning(rng: np.random.Generator) -> LabRun:
    """Both start high; the training curve reaches its top, the held-out one gains a little with it."""
    score = draw_score(rng, "accuracy", "f1", "per_cent")
    start, top = between(rng, 0.55, 0.75), between(rng, 0.82, 0.93)
    steps = grid("linear", count := whole(rng, 10, 100), decades(rng, count, 2e4))
    scale = float(steps[-1]) * between(rng, 0.08, 0.2)
    watch = draw_watch(rng, score, steps, top - start)
    curves = written(
        rng, watch, _learned(start, between(rng, 0.94, 1.0), scale, 1.0), _learned(start, top, scale, 1.0)
    )
    return lab_run(rng, curves, _ALSO_OTHER)


def _late_log(rng: np.random.Generator) -> LabRun:
    """The log begins when everything is learned: both curves are flat and high."""
    score = draw_score(rng, "accuracy", "per_cent", "error", "f1")
    train, test = between(rng, 0.95, 1.0), between(rng, 0.7, 0.98)
    steps = 20_000 + grid("linear", whole(rng, 20, 300), decades(rng, 1e3, 1e5))
    watch = draw_watch(rng, score, steps, 0.3)
    truth = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.COMPREHENSION}), is_negative=True)
    return lab_run(rng, written(rng, watch, flat(train), flat(test)), truth)


def _several_sets(rng: np.random.Generator) -> LabRun:
    """One test set learned with the training set, a shifted one at a lower level, tasks beside them."""
    score = draw_score(rng, "accuracy")
    steps = grid("linear", whole(rng, 30, 200), decades(rng, 300.0, 1e5))
    scale, top = float(steps[-1]) * between(rng, 0.06, 0.15), between(rng, 0.75, 0.95)
    watch = draw_watch(rng, score, steps, top - 0.1)
    curves = written(rng, watch, _learned(0.1, 0.99, scale, 1.0), _learned(0.1, top, scale, 1.0))
    shift, shifted = pick(rng, SHIFTS), watch.noise(rng, _learned(0.1, top * 0.6, scale, 1.0)(steps))
    curves.insert(0, Curve(name=f"{shift}_acc", steps=steps, values=np.clip(shifted, 0.0, 1.0)))
    for task in rng.choice(TASKS, whole(rng, 1, 4), replace=False) if happens(rng, 0.5) else ():
        values = watch.noise(rng, _learned(0.1, top * between(rng, 0.8, 1.0), scale, 1.0)(steps))
        curves.insert(0, Curve(name=f"{task}_acc", steps=steps, values=np.clip(values, 0.0, 1.0)))
    return lab_run(rng, curves, _TOGETHER)


def _late_shift(rng: np.random.Generator) -> LabRun:
    """The test set is learned with the training set, longer inputs only long after: which curve is meant?"""
    score = draw_score(rng, "accuracy")
    both = Rise(middle=decades(rng, 100.0, 3000.0), width=between(rng, 0.15, 0.35))
    late = Rise(middle=both.when(0.97) * decades(rng, 6.0, 30.0), width=between(rng, 0.08, 0.25))
    steps = grid(pick(rng, ("log", "linear")), whole(rng, 150, 900), late.when(0.97) * between(rng, 1.5, 3.0))
    top, shifted_top = between(rng, 0.93, 1.0), between(rng, 0.5, 0.95)
    watch = draw_watch(rng, score, steps, 0.5)
    curves = written(rng, watch, both.at, lambda at: top * both.at(at))
    shifted = np.clip(watch.noise(rng, shifted_top * late.at(steps)), 0.0, 1.0)
    curves.append(Curve(name=f"{pick(rng, SHIFTS)}/accuracy", steps=steps, values=shifted))
    truth = Truth(pattern=Pattern.COMPREHENSION, accept=frozenset({Pattern.GROKKING}))
    return lab_run(rng, curves, truth)


def _only_validation(rng: np.random.Generator) -> LabRun:
    score = draw_score(rng, "accuracy", "f1", "ranking", "success", "fit", "error")
    steps = grid("linear", whole(rng, 12, 200), decades(rng, 200.0, 1e5))
    scale, top = float(steps[-1]) * between(rng, 0.06, 0.2), between(rng, 0.5, 0.95)
    watch = draw_watch(rng, score, steps, top)
    curves = written(rng, watch, _learned(0.0, top, scale, 1.0), _learned(0.02, top, scale, 1.0))
    truth = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.COMPREHENSION}), is_negative=True)
    return lab_run(rng, curves[1:], truth)


FAMILIES = (
    Family(name="ordinary-images", says="Image classifier, one evaluation an epoch.", draw=_images),
    Family(name="ordinary-low-level", says="A hard table: both end at three quarters.", draw=_low_level),
    Family(name="ordinary-wide-gap", says="Train all right, held-out near .6, together.", draw=_wide_gap),
    Family(name="ordinary-few-epochs", says="Text classifier, 8 to 20 evaluations.", draw=_few_epochs),
    Family(name="ordinary-trees", says="Boosted trees, one evaluation a tree.", draw=_trees),
    Family(name="ordinary-log-grid", says="Ordinary learning on a grid of logarithms.", draw=_log_grid),
    Family(name="ordinary-above-train", says="The held-out curve lies above train.", draw=_above_train),
    Family(name="ordinary-messy-log", says="Gaps, a restart, broken values.", draw=_messy),
    Family(name="ordinary-still-rising", says="Stopped while both still rise.", draw=_still_rising),
    Family(name="ordinary-abrupt", says="Both wait, and jump together.", draw=_abrupt),
    Family(name="ordinary-fine-tuning", says="Fine-tuning from a good start.", draw=_fine_tuning),
    Family(name="ordinary-late-log", says="The log begins after everything is learned.", draw=_late_log),
    Family(name="ordinary-several-sets", says="Test, shifted set and tasks.", draw=_several_sets),
    Family(name="ordinary-late-shift", says="A shifted set follows long after.", draw=_late_shift),
    Family(name="ordinary-only-validation", says="No training curve was logged.", draw=_only_validation),
)
"""Families of ordinary learning without a later worsening."""

"""Families with several held-out curves: tasks, shifted sets; not all of them do the same."""

import numpy as np

from grokscope.schemas import Kind, Pattern
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Logged,
    Ranges,
    Setting,
    course_of,
    fit_rise,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth

Rng = np.random.Generator
_RANGES = Ranges(chances=(0.0, 0.01, 0.1), most_noise=0.015)


def _curve(run: Setting, name: str, shares: np.ndarray) -> Logged:
    return name, run.steps, run.noise.on_shares(shares, run.rng)


def _truth(run: Setting, *accept: Pattern) -> Truth:
    """One of the curves rises late; which one the headline takes is left open."""
    return Truth(
        pattern=Pattern.GROKKING,
        accept=frozenset(accept),
        events=((Kind.GENERALIZATION.value, course_of(run.rise)),),
    )


def _one_of_two_tasks(rng: Rng) -> LabRun:
    run = setting(rng, _RANGES)
    late = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    flat = np.full(len(run.steps), run.chance)
    first, second = (("add", "mul"), ("copy", "reverse"), ("math", "code"))[int(rng.integers(3))]
    style = str(
        rng.choice(["train/{}/acc test/{}/acc", "train_acc_{} val_acc_{}", "{}/train_acc {}/test_acc"])
    )
    curves: list[Logged] = []
    for task, test in ((first, late), (second, flat)):
        seen, held_out = (part.format(task) for part in style.split())
        curves += [_curve(run, seen, run.train()), _curve(run, held_out, test)]
    return lab_run(curves, _truth(run, Pattern.MEMORIZATION, Pattern.OTHER))


def _shifted_split(rng: Rng) -> LabRun:
    """In-distribution held-out accuracy comes with the fit, out of distribution it comes late."""
    run = setting(rng, _RANGES)
    early = run.chance + (rng.uniform(0.93, 0.99) - run.chance) * fit_rise(0.9 * run.fit).share(run.steps)
    late = run.test(plateau=run.chance, top=rng.uniform(0.9, 1.0))
    names = (
        ("train/acc", "val/acc", "test_ood/acc"),
        ("train_accuracy", "id_val_accuracy", "ood_val_accuracy"),
        ("train/accuracy", "test/accuracy", "shift/accuracy"),
    )[int(rng.integers(3))]
    curves = [_curve(run, n, v) for n, v in zip(names, (run.train(), early, late), strict=True)]
    return lab_run(curves, _truth(run, Pattern.COMPREHENSION, Pattern.OTHER))


def _quiet_shift(rng: Rng) -> LabRun:
    """In distribution it comes with the fit, out of distribution it never comes."""
    run = setting(rng, _RANGES)
    early = run.chance + (rng.uniform(0.9, 0.99) - run.chance) * fit_rise(0.9 * run.fit).share(run.steps)
    flat = Noise(size=0.005).on_shares(np.full(len(run.steps), run.chance), rng)
    curves = [_curve(run, "train/acc", run.train()), _curve(run, "val/acc", early)]
    truth = Truth(pattern=Pattern.COMPREHENSION, is_negative=True)
    return lab_run([*curves, ("ood/acc", run.steps, flat)], truth)


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("one-of-two-tasks", "Both tasks are fit, one of them groks.", _one_of_two_tasks),
        ("late-shifted-split", "The shifted split comes late, the other with the fit.", _shifted_split),
        ("quiet-shifted-split", "The shifted split never comes.", _quiet_shift),
    )
)
"""Several held-out curves."""

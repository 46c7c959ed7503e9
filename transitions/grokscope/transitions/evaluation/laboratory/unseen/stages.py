"""Delayed generalization that is no single smooth rise: stages, slingshots, logs that stop, several sets."""

from dataclasses import replace

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import between, decades, pick, whole
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps, bracket, grid
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats, Rise, hollow
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import Curve
from grokscope.transitions.evaluation.laboratory.unseen.logs.names import SHIFTS, TASKS
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import draw_watch, lab_run, written
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_score
from grokscope.transitions.evaluation.laboratory.unseen.waits import (
    Wait,
    draw_grokking,
    draw_steps,
    draw_waited,
    grokked,
)

_CLOSE = 60
"""Halvings of an interval: to the precision of a float."""


def _passes(late: tuple[Rise, Rise], weight: float, share: float) -> float:
    """Return where a weighted sum of two rises passes ``share``, by halving."""
    low, high = late[0].when(0.001), late[1].when(0.999)
    for _ in range(_CLOSE):
        middle = (low + high) / 2.0
        done = weight * late[0].at(np.array([middle])) + (1.0 - weight) * late[1].at(np.array([middle]))
        low, high = (middle, high) if done[0] < share else (low, middle)
    return low


def _two_stages(rng: np.random.Generator) -> LabRun:
    wait = Wait(kinds=("accuracy", "per_cent", "f1"), width=(0.05, 0.15), count=(120, 1200), loudest=0.5)
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    second = Rise(middle=waited.late.when(0.97) * decades(rng, 2.0, 8.0), width=between(rng, 0.05, 0.15))
    weight = pick(rng, (between(rng, 0.25, 0.42), between(rng, 0.58, 0.75)))
    late = (waited.late, second)

    def test(steps: Steps) -> Floats:
        share = weight * waited.late.at(steps) + (1.0 - weight) * second.at(steps)
        return waited.chance + (waited.test_top - waited.chance) * share

    end = second.when(0.97) * between(rng, 1.3, 4.0)
    watch = draw_watch(rng, score, draw_steps(rng, wait, waited, end), waited.gain, loudest=wait.loudest)
    truth = replace(grokked(waited), onset=_passes(late, weight, 0.1), midpoint=_passes(late, weight, 0.5))
    return lab_run(rng, written(rng, watch, waited.train, test), truth)


def _slingshots(rng: np.random.Generator) -> LabRun:
    wait = Wait(kinds=("accuracy", "error"), width=(0.05, 0.2), habits=("linear",), count=(400, 1500))
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    end = waited.late.when(0.97) * between(rng, 1.5, 3.0)
    steps = draw_steps(rng, wait, waited, end)
    free = (waited.late.when(0.03), waited.late.when(0.97))
    depth, length = between(rng, 0.1, 0.5), 2.5 * end / len(steps)
    drawn = [decades(rng, waited.fitted * 1.1, end) for _ in range(whole(rng, 3, 7))]
    starts = [at for at in drawn if at + length < free[0] or at > free[1]]

    def kicked(at: Steps, values: Floats) -> Floats:
        for start in starts:
            values = values - depth * hollow(at, start, start + length) * (values - waited.chance)
        return values

    watch = draw_watch(rng, score, steps, waited.gain, loudest=0.5)
    curves = written(
        rng, watch, lambda at: kicked(at, waited.train(at)), lambda at: kicked(at, waited.test(at))
    )
    return lab_run(rng, curves, grokked(waited))


def _ends_in_the_rise(rng: np.random.Generator) -> LabRun:
    wait = Wait(kinds=("accuracy", "per_cent"), width=(0.1, 0.3), forms=("logistic",), count=(100, 800))
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    done = between(rng, 0.6, 0.9)
    steps = draw_steps(rng, wait, waited, waited.late.when(done))
    watch = draw_watch(rng, score, steps, waited.gain * done, loudest=0.6)
    # Of the rise that the log shows: nobody can know where it would have ended.
    truth = replace(
        grokked(waited), onset=waited.late.when(0.1 * done), midpoint=waited.late.when(0.5 * done)
    )
    return lab_run(rng, written(rng, watch, waited.train, waited.test), truth)


def _own_sets(rng: np.random.Generator) -> LabRun:
    """A test set that groks, a shifted set that follows or never does."""
    wait = Wait(kinds=("accuracy",), chance=(0.0, 0.1), count=(100, 900))
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    later = Rise(middle=waited.late.when(0.9) * decades(rng, 1.5, 6.0), width=between(rng, 0.08, 0.25))
    height = pick(rng, (0.0, between(rng, 0.3, 0.9)))
    end = later.when(0.97) * between(rng, 1.2, 3.0)
    steps = draw_steps(rng, wait, waited, end)
    watch = draw_watch(rng, score, steps, waited.gain)
    shifted = watch.noise(rng, waited.chance + (height - height * waited.chance) * later.at(steps))
    name = score.test.replace("val", pick(rng, SHIFTS)).replace("test", pick(rng, SHIFTS))
    name = name if name != score.test else f"{pick(rng, SHIFTS)}_acc"
    curves = [
        Curve(name=name, steps=steps, values=np.clip(shifted, 0.0, 1.0)),
        *written(rng, watch, waited.train, waited.test),
    ]
    return lab_run(rng, curves, grokked(waited))


def _tasks(rng: np.random.Generator) -> LabRun:
    """One test set of all tasks that groks, and every task with its own delay beside it."""
    wait = Wait(kinds=("accuracy",), chance=(0.0, 0.05), width=(0.15, 0.3), count=(100, 500))
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    end = waited.late.when(0.97) * between(rng, 1.5, 4.0)
    steps = draw_steps(rng, wait, waited, end)
    watch = draw_watch(rng, score, steps, waited.gain, loudest=0.5)
    curves = written(rng, watch, waited.train, waited.test)
    for task in rng.choice(TASKS, whole(rng, 2, 5), replace=False):
        own = Rise(middle=waited.late.when(0.5) * decades(rng, 0.7, 1.4), width=waited.late.width)
        values = watch.noise(rng, waited.chance + (waited.test_top - waited.chance) * own.at(steps))
        curves.insert(0, Curve(name=f"{task}/acc", steps=steps, values=np.clip(values, 0.0, 1.0)))
    return lab_run(rng, curves, grokked(waited))


def _with_losses(rng: np.random.Generator) -> LabRun:
    """Accuracy and loss: the held-out loss worsens with the fit and falls with the late rise."""
    wait = Wait(kinds=("accuracy",), chance=(0.0, 0.1), count=(100, 900), habits=("log", "linear"))
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    end = waited.late.when(0.97) * between(rng, 1.3, 4.0)
    steps = draw_steps(rng, wait, waited, end)
    first, worse = between(rng, 2.0, 5.0), between(rng, 0.5, 4.0)
    late = waited.late.at(steps)
    train_loss = first * (1.0 - waited.fit.at(steps)) + 10.0 ** between(rng, -5.0, -2.0)
    test_loss = (first + worse * waited.fit.at(steps)) * (1.0 - late) + 0.05
    loud = np.exp(0.02 * rng.standard_normal((2, len(steps))))
    curves = [
        Curve(name=pick(rng, ("train_loss", "train/loss")), steps=steps, values=train_loss * loud[0]),
        Curve(name=pick(rng, ("val_loss", "test/loss")), steps=steps, values=test_loss * loud[1]),
        *written(rng, draw_watch(rng, score, steps, waited.gain), waited.train, waited.test),
    ]
    return lab_run(rng, curves, grokked(waited))


def _epochs(rng: np.random.Generator) -> LabRun:
    """Keras or Lightning on a small data set, one evaluation an epoch, counted in epochs."""
    fit = Rise(middle=between(rng, 4.0, 12.0), width=between(rng, 0.2, 0.4))
    late = Rise(middle=fit.when(0.97) * decades(rng, 4.0, 20.0), width=between(rng, 0.08, 0.25))
    wait = Wait(kinds=("accuracy", "per_cent"), chance=(0.1, 0.1), test_top=(0.7, 0.99), early=(0.05, 0.3))
    score = draw_score(rng, *wait.kinds)
    drawn = draw_waited(rng, wait, score.kind)
    waited = replace(drawn, fit=fit, late=late)
    end = int(late.when(0.97) * between(rng, 1.3, 3.0))
    watch = draw_watch(rng, score, grid("linear", end, end), waited.gain, loudest=0.6)
    return lab_run(rng, written(rng, watch, waited.train, waited.test), grokked(waited))


def _then_a_dip(rng: np.random.Generator) -> LabRun:
    """Groks, loses most of it for a while, and has it back."""
    wait = Wait(kinds=("accuracy", "error"), chance=(0.0, 0.2), width=(0.05, 0.2), count=(150, 900))
    score = draw_score(rng, *wait.kinds)
    waited = draw_waited(rng, wait, score.kind)
    done = waited.late.when(0.98)
    end = done * between(rng, 4.0, 6.0)
    steps = draw_steps(rng, Wait(count=(150, 900), habits=("linear",)), waited, end)
    start, depth = between(rng, done * 1.3, end * 0.6), between(rng, 0.5, 0.9)
    stop = start + max(0.04 * end, 5.5 * end / len(steps))

    def test(at: Steps) -> Floats:
        return waited.test(at) - depth * hollow(at, start, stop) * waited.gain

    watch = draw_watch(rng, score, steps, waited.gain, loudest=0.5)
    truth = replace(grokked(waited), events=(("dip", bracket(steps, start, stop)),))
    return lab_run(rng, written(rng, watch, waited.train, test), truth)


def _short_wait_accepted(rng: np.random.Generator) -> LabRun:
    """A wait that one person calls grokking and another slow learning."""
    wait = Wait(ratio=(2.0, 3.0), width=(0.08, 0.15), count=(100, 400))
    run = draw_grokking(rng, wait)
    return replace(run, truth=replace(run.truth, accept=frozenset({Pattern.COMPREHENSION})))


FAMILIES = (
    Family(name="grokking-two-stages", says="The late rise comes in two stages.", draw=_two_stages),
    Family(
        name="grokking-slingshots", says="Short kicks in both curves, before and after.", draw=_slingshots
    ),
    Family(name="grokking-ends-in-the-rise", says="The log stops inside the rise.", draw=_ends_in_the_rise),
    Family(name="grokking-and-shift", says="A test set groks beside a shifted set.", draw=_own_sets),
    Family(name="grokking-and-tasks", says="A test set groks beside its tasks.", draw=_tasks),
    Family(name="grokking-with-losses", says="Accuracies and losses in one log.", draw=_with_losses),
    Family(name="grokking-epochs", says="Steps are epochs, one evaluation each.", draw=_epochs),
    Family(name="grokking-then-dip", says="Groks, and dips once for long.", draw=_then_a_dip),
    Family(name="grokking-short-wait", says="A wait of two or three times.", draw=_short_wait_accepted),
)
"""Families of late rises that are not one smooth one."""

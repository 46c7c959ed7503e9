"""Families that differ in how they are logged: mixed units, other steps, minibatches, late logs."""

import numpy as np

from grokscope.transitions.evaluation.laboratory.development.parts.clocks import other_steps
from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise
from grokscope.transitions.evaluation.laboratory.development.parts.scores import ACCURACY, PER_CENT, Score
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    Setting,
    grokked,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun

Rng = np.random.Generator


def _mixed_units(rng: Rng) -> LabRun:
    run = setting(rng, Ranges(chances=(0.01, 0.1, 0.2)))
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    logged = run.measured(ACCURACY, run.train(), test)
    which = int(rng.integers(2))
    name, steps, values = logged[which]
    logged[which] = name, steps, 100 * values
    return lab_run(logged, grokked(run.rise))


def _other_steps(rng: Rng) -> LabRun:
    """Train accuracy is that of minibatches, on steps of its own."""
    run = setting(rng, Ranges(chances=(0.01, 0.1)))
    seen, held_out = ACCURACY.pair(rng)
    own = other_steps(rng, run.steps)
    batch = Noise(size=0.0, examples=int(rng.choice([8, 16, 32, 64, 256])))
    train = batch.on_shares(run.train(top=rng.uniform(0.96, 1.0), steps=own), rng)
    test = run.noise.on_shares(run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0)), rng)
    return lab_run([(seen, own, train), (held_out, run.steps, test)], grokked(run.rise))


def _tiny_per_cent(rng: Rng) -> LabRun:
    """Everything in per cent, and about 1 % by chance for most of the log."""
    run = setting(rng, Ranges(chances=(0.0, 0.005, 0.01)))
    test = run.test(plateau=run.chance, top=rng.uniform(0.97, 1.0))
    return lab_run(run.measured(PER_CENT, run.train(), test), grokked(run.rise))


def _late_log(rng: Rng) -> LabRun:
    """The log begins after the fit, well before the rise."""
    run = setting(rng, Ranges(delay=(1.2, 1.6), width=(0.1, 0.3), evaluations=(150, 600)))
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    logged = run.measured(ACCURACY, run.train(), test)
    kept = run.steps > run.fit * rng.uniform(1.5, 2.0)
    return lab_run([(name, steps[kept], values[kept]) for name, steps, values in logged], grokked(run.rise))


def _resumed(rng: Rng) -> LabRun:
    """A crash, and a run that goes on from an older checkpoint: some steps are logged twice."""
    run = setting(rng, Ranges(evaluations=(100, 400)))
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    crash = int(len(run.steps) * rng.uniform(0.6, 0.95))
    back = int(crash * rng.uniform(0.8, 0.95))
    first, second = (run.measured(ACCURACY, run.train(), test) for _ in range(2))
    curves = [
        (name, np.append(s[:crash], s[back:]), np.append(old[:crash], new[back:]))
        for (name, s, old), (_, _, new) in zip(first, second, strict=True)
    ]
    return lab_run(curves, grokked(run.rise))


def _inverted(rng: Rng) -> LabRun:
    """Wrong labels are memorized, and forgotten when the rule is found (Doshi et al. 2023)."""
    run = setting(rng, Ranges(chances=(0.0, 0.01, 0.1), most_noise=0.015))
    forgotten = rng.uniform(0.1, 0.35) * run.rise.share(run.steps)
    test = run.test(plateau=run.chance, top=rng.uniform(0.95, 1.0))
    return lab_run(run.measured(ACCURACY, run.train() - forgotten, test), grokked(run.rise))


def _with_losses(rng: Rng) -> LabRun:
    """Losses beside accuracies; the held-out loss worsens and comes down again."""
    run = setting(rng, Ranges(chances=(0.01, 0.1)))
    test = run.test(plateau=run.chance, top=rng.uniform(0.97, 1.0))
    logged = run.measured(ACCURACY, run.train(), test)
    return lab_run([*logged, *_losses(run, rng)], grokked(run.rise))


def _losses(run: Setting, rng: Rng) -> list[tuple[str, np.ndarray, np.ndarray]]:
    start, done = rng.uniform(2.0, 5.0), run.rise.share(run.steps)
    fit = (run.train() - run.chance) / (1 - run.chance)
    worse = start * (1 + rng.uniform(0.5, 2.0) * fit) * (1 - done) + 0.03
    score = Score(
        names=(("train_loss", "val_loss"), ("loss/train", "loss/test")), express=lambda share: share
    )
    seen, held_out = score.pair(rng)
    jitter = np.exp(rng.normal(0, 0.03, (2, len(worse))))
    return [
        (seen, run.steps, (start * (1 - fit) + 0.001) * jitter[0]),
        (held_out, run.steps, worse * jitter[1]),
    ]


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("mixed-units", "One accuracy in per cent, the other as a share.", _mixed_units),
        ("other-steps", "Train accuracy of minibatches, on steps of its own.", _other_steps),
        ("tiny-per-cent", "Per cent, with chance at 1 % or below.", _tiny_per_cent),
        ("late-log", "The log begins after the fit and before the rise.", _late_log),
        ("resumed-log", "A crash and a restart: some steps twice.", _resumed),
        ("inverted-label-noise", "Train accuracy falls as wrong labels are forgotten.", _inverted),
        ("with-losses", "Accuracies and losses; the held-out loss has a hill.", _with_losses),
    )
)
"""Late generalization, logged in unusual ways."""

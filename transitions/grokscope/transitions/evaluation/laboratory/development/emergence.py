"""Families of abrupt changes on scores of any name: induction heads, rewards, benchmarks; and quiet ones."""

import numpy as np

from grokscope.schemas import Kind, Pattern
from grokscope.transitions.evaluation.laboratory.development.parts.clocks import Clock
from grokscope.transitions.evaluation.laboratory.development.parts.rises import Rise
from grokscope.transitions.evaluation.laboratory.development.parts.settings import Logged, course_of, lab_run
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.synthetic import Spacing

Rng = np.random.Generator
NOTHING = Truth(pattern=Pattern.OTHER, is_negative=True)


def _changed(rise: Rise) -> Truth:
    return Truth(
        pattern=Pattern.OTHER,
        accept=frozenset({Pattern.GROKKING, Pattern.COMPREHENSION}),
        events=((Kind.PHASE_CHANGE.value, course_of(rise)),),
    )


def _jump(rng: Rng, *, last: tuple[float, float]) -> tuple[np.ndarray, Rise]:
    """Return the steps and an abrupt rise in the middle of them, with a plateau on either side."""
    end = 10 ** rng.uniform(*last)
    rise = Rise(at=end * rng.uniform(0.15, 0.4), width=rng.uniform(0.05, 0.2))
    return Clock(last=end, onset=rise.step_of(0.1), evaluations=(60, 400)).steps(rng), rise


def _induction_score(rng: Rng) -> LabRun:
    steps, rise = _jump(rng, last=(3.5, 4.5))
    name = str(rng.choice(["ind_acc", "induction_score", "icl_accuracy", "copying/score", "prefix_matching"]))
    low, high = rng.uniform(0.0, 0.1), rng.uniform(0.6, 0.95)
    values = low + (high - low) * rise.share(steps) + rng.normal(0, rng.uniform(0.003, 0.02), len(steps))
    return lab_run([(name, steps, values)], _changed(rise))


def _loss_drop(rng: Rng) -> LabRun:
    steps, rise = _jump(rng, last=(3.5, 5.0))
    name = str(rng.choice(["val_loss", "ind_loss", "valid/nll", "eval_loss", "test_ce"]))
    high = rng.uniform(3.0, 6.0)
    level = high * (1 + rng.uniform(0.5, 1.0) * (1 + steps / (rise.at / 300)) ** -1.0)
    values = level - rng.uniform(0.3, 0.7) * high * rise.share(steps)
    return lab_run([(name, steps, values * np.exp(rng.normal(0, 0.006, len(steps))))], _changed(rise))


def _reward(rng: Rng) -> LabRun:
    steps, rise = _jump(rng, last=(5.5, 7.5))
    name = str(rng.choice(["eval/mean_reward", "rollout/ep_rew_mean", "episode_return", "eval/score"]))
    low, high = ((-21.0, 19.0), (0.0, 480.0), (-200.0, 240.0), (0.0, 1.0))[int(rng.integers(4))]
    size = rng.uniform(0.01, 0.04) * (high - low)
    values = low + (high - low) * rise.share(steps) + rng.normal(0, size, len(steps))
    return lab_run([(name, steps, values)], _changed(rise))


def _benchmarks(rng: Rng) -> LabRun:
    """One of three tasks emerges, the others stay at their chance levels."""
    steps, rise = _jump(rng, last=(4.0, 5.5))
    emerging, still = f"lambada/{rng.choice(['acc', 'accuracy'])}", ["mmlu/acc", "winogrande/acc"]
    curves: list[Logged] = [
        (name, steps, level + rng.normal(0, 0.008, len(steps)))
        for name, level in zip(still, (0.25, 0.5), strict=True)
    ]
    values = rng.uniform(0.4, 0.7) * rise.share(steps) + np.abs(rng.normal(0, 0.006, len(steps)))
    return lab_run([*curves, (emerging, steps, values)], _changed(rise))


def _quiet_benchmark(rng: Rng) -> LabRun:
    """About chance for the whole log, with the noise of a finite set, independent or persistent."""
    last = 10 ** rng.uniform(3.5, 5.5)
    steps = Clock(
        last=last, onset=last / 40, evaluations=(60, 300), spacings=(Spacing.LINEAR, Spacing.LOG)
    ).steps(rng)
    name = str(rng.choice(["mmlu", "hellaswag/acc", "arc_challenge/acc_norm", "eval/score", "ind_acc"]))
    values = rng.choice([0.25, 0.5]) + rng.normal(0, rng.uniform(0.003, 0.02), len(steps))
    return lab_run([(name, steps, values)], NOTHING)


def _learning_reward(rng: Rng) -> LabRun:
    """Reward that climbs from the first evaluation to the last: learning, no jump."""
    last = 10 ** rng.uniform(5.5, 7.0)
    steps = Clock(last=last, onset=last / 40, evaluations=(60, 300), spacings=(Spacing.LINEAR,)).steps(rng)
    low, high = ((-21.0, 15.0), (10.0, 400.0))[int(rng.integers(2))]
    done = (1 - np.exp(-2 * steps / last)) / (1 - np.exp(-2))
    values = low + (high - low) * done + rng.normal(0, 0.03 * (high - low), len(steps))
    return lab_run([(str(rng.choice(["eval/mean_reward", "episode_return"])), steps, values)], NOTHING)


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("induction-score", "A score of any name jumps after a plateau.", _induction_score),
        ("plateau-drop", "A loss waits on a plateau and drops.", _loss_drop),
        ("reward-take-off", "A reward takes off.", _reward),
        ("emerging-benchmark", "One benchmark of three emerges.", _benchmarks),
        ("quiet-benchmark", "A benchmark about chance: nothing.", _quiet_benchmark),
        ("climbing-reward", "A reward that climbs all the time: nothing abrupt.", _learning_reward),
    )
)
"""Abrupt changes without a training curve beside them."""

"""Shapes that the labelled public curves hardly have, drawn at random: the right answer is known.

Each shape turns the times of a random run into train and held-out accuracy. The grid that they are logged on,
chance level, plateau, ceiling and noise are drawn independently of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from grokscope.schemas import Pattern
from grokscope.transitions import detect

RUNS = 60
"""Random runs a shape."""

Pair = tuple[np.ndarray, np.ndarray]
"""Train and held-out accuracy."""


def sigmoid(steps: np.ndarray, at: float, decades: float) -> np.ndarray:
    """A rise in log step that takes so many decades from 10 % to 90 %."""
    return expit((np.log(np.maximum(steps, 1e-3)) - np.log(at)) / (decades * np.log(10) / 4.4))


def grid(rng: np.random.Generator, last: float) -> np.ndarray:
    """Linear, log-spaced or mixed evaluations from step 0 or 1 on."""
    count = int(np.exp(rng.uniform(np.log(80), np.log(1500))))
    even = np.linspace(0, last, count)
    spread = np.append(0, np.geomspace(1, last, 2 * count))
    mixed = np.concatenate((np.geomspace(1, last / 50, count // 2), np.linspace(last / 50, last, count // 2)))
    return np.unique((even, spread, mixed)[int(rng.integers(3))].round())


@dataclass
class Run:
    """What is random about a run."""

    rng: np.random.Generator

    def __post_init__(self) -> None:
        rng = self.rng
        self.last = 10 ** rng.uniform(3.5, 6)
        self.fit = self.last * 10 ** rng.uniform(-2.2, -1.6)
        self.mid = self.fit * 10 ** rng.uniform(0.6, 0.9)
        self.lost = self.mid * (self.last / self.mid) ** rng.uniform(0.4, 0.7)
        self.chance = float(rng.choice([0.0, 0.01, 0.1, 0.2, 0.5]))
        self.plateau = self.chance + float(rng.choice([0.0, 0.1, 0.2])) * (1 - self.chance)
        self.top = float(rng.choice([1.0, 0.99, 0.97]))
        self.size = float(rng.choice([0.0, 0.002, 0.01, 0.03]))
        self.steps = grid(rng, self.last)
        low = max(self.chance, 0.01)
        self.train = low + (1 - low) * sigmoid(self.steps, 0.4 * self.fit, 0.4)
        self.flat = self.chance + (self.plateau - self.chance) * sigmoid(self.steps, 0.5 * self.fit, 0.4)

    def risen(self, *, top: float | None = None, decades: float = 0.25) -> np.ndarray:
        top = self.top if top is None else top
        return self.flat + (top - self.plateau) * sigmoid(self.steps, self.mid, decades)

    def noisy(self, values: np.ndarray, *, share: float) -> np.ndarray:
        """Noise that a bounded score has: less near its ends."""
        room = 2 * np.sqrt(np.clip(values * (1 - values), 0.0004, 0.25))
        return np.clip(values + self.rng.normal(0, share * self.size, len(values)) * room, 0, 1)


def slow(run: Run) -> Pair:
    return run.train, run.risen(decades=run.rng.uniform(0.5, 0.7))


def staged(run: Run) -> Pair:
    half = run.plateau + run.rng.uniform(0.3, 0.7) * (run.top - run.plateau)
    first = run.flat + (half - run.plateau) * sigmoid(run.steps, run.fit * 3, 0.15)
    return run.train, first + (run.top - half) * sigmoid(run.steps, run.mid * 2, 0.15)


def partial(run: Run) -> Pair:
    return run.train, run.risen(top=run.plateau + 0.3 + 0.5 * run.rng.random() * (0.6 - run.plateau))


def wandering(run: Run) -> Pair:
    fresh, path = run.rng.normal(0, 0.01, len(run.steps)), np.zeros(len(run.steps))
    for i in range(1, len(path)):
        path[i] = 0.95 * path[i - 1] + fresh[i]
    return run.train, np.clip(run.flat + path, 0, 1)


def creeping(run: Run) -> Pair:
    later = np.log(np.maximum(run.steps, 1) / run.fit) / np.log(run.last / run.fit)
    return run.train, run.flat + 0.15 * (1 - run.plateau) * np.clip(later, 0, 1)


def bump(run: Run) -> Pair:
    away = np.log10(np.maximum(run.steps, 1) / run.mid) / 0.15
    return run.train, run.flat + run.rng.uniform(0.2, 0.5) * (1 - run.plateau) * np.exp(-(away**2)) * 0.9


def unfit(run: Run) -> Pair:
    reached = run.rng.uniform(0.05, 0.9) * (0.9 - run.chance)
    return run.chance + reached * sigmoid(run.steps, run.fit, 0.7), np.full(len(run.steps), run.chance)


def together(run: Run) -> Pair:
    low, wide = max(run.chance, 0.01), run.rng.uniform(0.3, 0.8)
    at = 0.2 * run.last
    rise = sigmoid(run.steps, 1.1 * at, wide)
    return low + (1 - low) * sigmoid(run.steps, at, wide), run.chance + (run.top - run.chance) * rise


def died(run: Run) -> Pair:
    rest = run.chance + run.rng.uniform(0, 0.3) * (1 - run.chance)
    return run.train, np.where(run.steps >= run.lost, rest, run.risen())


def died_in_both(run: Run) -> Pair:
    train, test = died(run)
    return np.where(run.steps >= run.lost, 0.1 + 0.8 * test, train), test


def decayed(run: Run) -> Pair:
    share = np.clip((run.steps - run.lost) / (run.last - run.lost), 0, 1)
    return run.train, run.risen() - (run.top - run.rng.uniform(0.45, 0.74)) * share


def half_recovered(run: Run) -> Pair:
    back = run.lost * (run.last / run.lost) ** 0.5
    train, test = died(run)
    return train, np.where(run.steps >= back, run.rng.uniform(0.4, 0.7), test)


def died_at_the_end(run: Run) -> Pair:
    test = run.risen()
    test[-int(run.rng.integers(4, 8)) :] = run.chance
    return run.train, test


def dipping(run: Run) -> Pair:
    test, share = run.risen(), run.rng.uniform(0.17, 0.3)
    hit = np.flatnonzero((run.steps >= 2 * run.mid) & (run.rng.random(len(test)) < share))
    test[hit] *= run.rng.uniform(0.0, 0.75, len(hit))
    return run.train, test


def real_data_died(run: Run) -> Pair:
    """Real data tops out near 0.9; anti-grokking takes it away again."""
    top = run.rng.uniform(0.86, 0.94)
    fall = top - run.rng.uniform(0.15, 0.55)
    return run.train, run.risen(top=top) - fall * sigmoid(run.steps, run.lost, 0.2)


def train_died(run: Run) -> Pair:
    rest = run.rng.uniform(0.02, 0.6)
    return np.where(run.steps >= run.lost, rest, run.train), np.where(
        run.steps >= run.lost, run.chance, run.flat
    )


def train_unstable(run: Run) -> Pair:
    return np.where(run.steps >= run.lost, run.rng.uniform(0, 1, len(run.steps)), run.train), run.flat


SHAPES: Mapping[str, tuple[Pattern, Callable[[Run], Pair]]] = {
    "one rise": (Pattern.GROKKING, lambda run: (run.train, run.risen())),
    "slow rise": (Pattern.GROKKING, slow),
    "two stages": (Pattern.GROKKING, staged),
    "a rise of 0.3 or more that stops half-way": (Pattern.GROKKING, partial),
    "train accuracy tops out at 0.965": (Pattern.GROKKING, lambda run: (0.965 * run.train, run.risen())),
    "flat from the fit on": (Pattern.MEMORIZATION, lambda run: (run.train, run.flat)),
    "creeping up by 0.15": (Pattern.MEMORIZATION, creeping),
    "wandering": (Pattern.MEMORIZATION, wandering),
    "a bump that reverts": (Pattern.MEMORIZATION, bump),
    "train never fit": (Pattern.CONFUSION, unfit),
    "both rise slowly together": (Pattern.COMPREHENSION, together),
    "lost at once": (Pattern.COLLAPSE, died),
    "lost at once, train too": (Pattern.COLLAPSE, died_in_both),
    "lost slowly, to 0.45-0.74": (Pattern.COLLAPSE, decayed),
    "lost, half recovered": (Pattern.COLLAPSE, half_recovered),
    "lost in the last 4-7 evaluations": (Pattern.COLLAPSE, died_at_the_end),
    "dips in 17-30 % of evaluations": (Pattern.COLLAPSE, dipping),
    "lost from 0.86-0.94": (Pattern.COLLAPSE, real_data_died),
    "train lost": (Pattern.COLLAPSE, train_died),
    "train swings without end": (Pattern.COLLAPSE, train_unstable),
}
"""Name -> the pattern, and its curves."""


def points_of(name: str) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    for i in range(RUNS):
        run = Run(np.random.default_rng([i, *name.encode()]))
        train, test = SHAPES[name][1](run)
        curves = {"train/accuracy": run.noisy(train, share=0.2), "test/accuracy": run.noisy(test, share=1.0)}
        frames += [
            pl.DataFrame({"run": str(i), "metric": metric, "step": run.steps.astype(int), "value": values})
            for metric, values in curves.items()
        ]
    return pl.concat(frames)


def table() -> Iterator[str]:
    yield "| shape | pattern | found |"
    yield "|---|---|---|"
    for name, (pattern, _) in SHAPES.items():
        found = sum(verdict.pattern is pattern for verdict in detect(points_of(name)))
        yield f"| {name} | {pattern.value} | {found}/{RUNS} |"

"""Random runs of which the right answer is known: delayed generalization, overfitting, ordinary learning.

They are what the advice is measured on beside recorded runs. Curves rise and fall in log step; levels,
noise, the grid and the names are drawn for each run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import polars as pl
from scipy.special import expit

from grokscope.interventions.stopping.score_curve import FloatArray

NAMES = (
    ("train/accuracy", "test/accuracy", "train/loss", "test/loss"),
    ("accuracy", "val_accuracy", "loss", "val_loss"),
    ("train_acc", "eval_acc", "train_loss", "eval_loss"),
    ("Train Acc", "Test Acc", "Train Loss", "Test Loss"),
)
"""What loggers call training and held-out accuracy and loss."""
HALF = 0.5
WIDTHS = 4.4
"""A logistic curve goes from 10 to 90 % in so many of its widths."""

Pairs = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""Training accuracy, held-out accuracy, training loss, held-out loss."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What is random about a run; times are steps, ``after`` counts decades after the fit."""

    rng: np.random.Generator
    keep: str = "both"
    last: float = field(init=False)
    fit: float = field(init=False)
    chance: float = field(init=False)
    steps: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        last, count = 10 ** rng.uniform(3, 5.5), int(10 ** rng.uniform(1.4, 2.7))
        even, spread = (
            np.linspace(0, last, count),
            np.append(0, np.geomspace(max(last / 3000, 1), last, count)),
        )
        for name, value in (
            ("last", last),
            ("fit", last * 10 ** rng.uniform(-1.6, -0.8)),
            ("chance", float(rng.choice([0.01, 0.02, 0.1, 0.25, 0.5]))),
            ("steps", np.unique((even if rng.random() < HALF else spread).round())),
        ):
            object.__setattr__(self, name, value)

    def rise(self, at: float, decades: float) -> FloatArray:
        """Return a rise from 0 to 1 in log step, centred at a step, 10 to 90 % in so many decades."""
        logs = np.log10(np.maximum(self.steps, 0.1)) - np.log10(at)
        return expit(WIDTHS * logs / decades)

    def fitted(self) -> tuple[FloatArray, FloatArray]:
        """Return training accuracy and loss: fit at ``fit``, the loss ever smaller."""
        done = self.rise(self.fit / 2, 0.6)
        start = max(-np.log(self.chance), 0.7)
        return self.chance + (1 - self.chance) * done, start * (1 - 0.998 * done) / (
            1 + 3 * self.rise(self.last, 1)
        )


def delayed(draw: Draw) -> Pairs:
    """Return training that is fit while held-out accuracy rests, at chance or on a plateau, and loss rose."""
    rng, (train, train_loss) = draw.rng, draw.fitted()
    plateau = float(rng.choice([0.0, 0.0, 0.1, 0.3, 0.45])) * (1 - draw.chance)
    test = draw.chance + plateau * draw.rise(draw.fit / 1.5, 0.7)
    start = max(-np.log(draw.chance), 0.7)
    up = rng.uniform(0.3, 3) * start * draw.rise(draw.fit, 0.8)
    down = rng.choice([0.0, rng.uniform(0, 0.4)]) * up * draw.rise(draw.last / 1.5, 0.6)
    learned = rng.uniform(0, 0.4) * plateau * start * draw.rise(draw.fit / 3, 0.5)
    return train, test, train_loss, start + up - down - learned


def overfits(draw: Draw) -> Pairs:
    """Return a held-out curve that rises with training to a peak and gets worse while training goes on.

    The loss always does; the accuracy of half the runs rests, unless it is all that is logged.
    """
    rng, keep, (train, train_loss) = draw.rng, draw.keep, draw.fitted()
    peak = rng.uniform(0.35, 0.9) * (1 - draw.chance)
    rises = draw.rise(draw.fit / 2, 0.6)
    falls = draw.rise(draw.fit * rng.uniform(1.5, 3), 0.6)
    lost = float(rng.uniform(0.2, 0.6)) * (keep == "accuracy" or rng.random() < HALF)
    start = max(-np.log(draw.chance), 0.7)
    learned = rng.uniform(0.4, 0.85) * start
    loss = start - learned * draw.rise(draw.fit / 2.5, 0.6) + rng.uniform(0.5, 2.5) * learned * falls
    return train, draw.chance + peak * (rises - lost * falls), train_loss, loss


def ordinary(draw: Draw) -> Pairs:
    """Return held-out curves that follow training up to a gap, and get no worse."""
    rng, (train, train_loss) = draw.rng, draw.fitted()
    reached = rng.uniform(0.6, 0.97)
    test = draw.chance + reached * (train - draw.chance)
    start = max(-np.log(draw.chance), 0.7)
    return train, test, train_loss, start - reached * (start - train_loss)


FAMILIES: Mapping[str, Callable[[Draw], Pairs]] = MappingProxyType(
    {"delayed": delayed, "overfitting": overfits, "ordinary": ordinary}
)
"""Every family by its name."""


def draw_run(family: str, seed: int, *, keep: str = "both") -> pl.DataFrame:
    """Return a random run of a family, ``metric, step, value``.

    Args:
        family: One of ``FAMILIES``.
        seed: Of everything that is drawn.
        keep: ``"accuracy"``, ``"loss"`` or ``"both"``: what was logged.

    >>> draw_run("delayed", 1, keep="loss")["metric"].unique().sort().to_list()
    ['loss', 'val_loss']
    """
    draw = Draw(rng=np.random.default_rng(seed), keep=keep)
    curves = FAMILIES[family](draw)
    names = NAMES[int(draw.rng.integers(len(NAMES)))]
    noise = float(draw.rng.choice([0.0, 0.003, 0.01, 0.03]))
    frames: list[pl.DataFrame] = []
    for place, (name, values) in enumerate(zip(names, curves, strict=True)):
        if keep != "both" and (place < len(names) // 2) is (keep == "loss"):
            continue
        size = noise if place < len(names) // 2 else noise * float(values[0])
        noisy = values + size * draw.rng.normal(size=len(values))
        noisy = np.clip(noisy, 0, 1) if place < len(names) // 2 else np.maximum(noisy, 1e-5)
        frames.append(
            pl.DataFrame({"step": draw.steps.astype(np.int64), "value": noisy}).with_columns(
                metric=pl.lit(name)
            )
        )
    return pl.concat(frames).select("metric", "step", "value")

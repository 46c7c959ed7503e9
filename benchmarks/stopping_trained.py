"""Advice on small networks trained here, on data and seeds that no threshold was set on.

usage: python benchmarks/stopping_trained.py

Two-layer networks on digits, wine and moons, with a part of the labels drawn anew. A rule set beforehand says
what overfits: training accuracy of .95 or more, and a held-out loss that ends 1.3 times above its lowest;
below 1.1 times it is fine. Then random runs of unused seeds. It takes some four minutes.
"""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import polars as pl
import torch
from sklearn.datasets import load_digits, load_wine, make_moons
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grokscope.interventions.stopping.advice import advice_on
from grokscope.interventions.stopping.synthetic import FAMILIES, draw_run

STEPS, EVERY, BATCH, HELD_OUT = 1200, 20, 64, 600
RISEN, RESTS, FIT = 1.3, 1.1, 0.95
FIRST_SEED, RUNS = 50_000, 200


def trained(data: tuple[Tensor, Tensor], count: int, noise: float, width: int, seed: int) -> pl.DataFrame:
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data[0]), generator=random)
    inputs, labels = data[0][order], data[1][order]
    classes = int(labels.max()) + 1
    tests = inputs[count : count + HELD_OUT], labels[count : count + HELD_OUT]
    trains = inputs[:count], labels[:count].clone()
    wrong = torch.rand(count, generator=random) < noise
    trains[1][wrong] = torch.randint(0, classes, (int(wrong.sum()),), generator=random)
    torch.manual_seed(seed)
    widths = (inputs.shape[1], width, width, classes)
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
    model = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    rows: list[tuple[str, int, float]] = []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            rows += evaluated(model, {"train": trains, "val": tests}, step)
        batch = torch.randint(0, count, (min(BATCH, count),), generator=random)
        optimizer.zero_grad()
        cross_entropy(model(trains[0][batch]), trains[1][batch]).backward()
        optimizer.step()
    return pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row")


@torch.no_grad()
def evaluated(
    model: nn.Module, splits: dict[str, tuple[Tensor, Tensor]], step: int
) -> list[tuple[str, int, float]]:
    rows: list[tuple[str, int, float]] = []
    for split, (x, y) in splits.items():
        out = model(x)
        rows.append((f"{split}_acc", step, float((out.argmax(1) == y).float().mean())))
        rows.append((f"{split}_loss", step, float(cross_entropy(out, y))))
    return rows


def kind_of(curves: pl.DataFrame) -> str:
    by_name = {name: part.sort("step")["value"].to_numpy() for (name,), part in curves.group_by("metric")}
    loss, fit = by_name["val_loss"], by_name["train_acc"]
    risen = float(np.median(loss[-6:]) / loss.min())
    if risen > RISEN and fit[-6:].mean() >= FIT:
        return "overfits"
    return "fine" if risen < RESTS else "between"


def main() -> None:
    torch.set_num_threads(1)
    digits, wine = load_digits(), load_wine()
    moons, sides = make_moons(1500, noise=0.3, random_state=5)
    sets = {
        "digits": (digits.data / 16, digits.target),
        "wine": ((wine.data - wine.data.mean(0)) / wine.data.std(0), wine.target),
        "moons": (moons, sides),
    }
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, (inputs, labels) in sets.items():
        data = torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels)
        for count in (60,) if name == "wine" else (100, 300):
            for noise in (0, 0.1, 0.3, 0.5):
                for width, seed in ((64, 7), (256, 8)):
                    curves = trained(data, count, noise, width, seed)
                    advice = advice_on(curves)
                    stops = ("halves stop",) if advice.naive.would_stop else ()
                    counts[kind_of(curves)].update(("runs", advice.outlook.value, *stops))
    for kind, found in counts.items():
        print(kind, dict(found))
    for family in FAMILIES:
        for keep in ("both", "accuracy", "loss"):
            runs = (draw_run(family, FIRST_SEED + seed, keep=keep) for seed in range(RUNS))
            print(
                f"random: {family}, {keep}: {sum(advice_on(run).may_stop for run in runs)} of {RUNS} stopped"
            )


if __name__ == "__main__":
    main()

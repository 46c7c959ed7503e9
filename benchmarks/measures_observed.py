"""What the costly measures and those of the task do around grokking: two runs that grok, two controls.

    python benchmarks/measures_observed.py [--steps 1500]

The demo's modular addition, measured every 50 steps. A measure's lead is by how much it covers half of its
own change, from memorization to the end, before the test accuracy covers half of its own, in units of the
delay between the two. It uses the end of the run, so it ranks measures; it is no rule to apply while one
trains.
"""

import argparse
import math
import statistics
import time
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.measures import (
    commutator,
    compression,
    cut_weights,
    heavy_tails,
    hessian_spread,
    last_layer_flatness,
    learning_coefficient,
    sharpness,
    synergy,
    tangent_alignment,
)
from grokscope.collectors.measures.curvature.learning_coefficient import Sampling
from grokscope.collectors.measures.instrument import Instrument, StepContext
from grokscope.collectors.measures.outputs.ranks import accuracy
from grokscope.collectors.measures.subset import Subset
from grokscope.collectors.measures.tasks.modular_addition import modular_addition
from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.models.pairs import PairsMLP

EVERY = 50
# How well a value is known, and what never moves here, is not part of the table.
UNTOLD = ("step", "residual", "iterations", "_error", "tail_count", "train/accuracy", "correlation_traps")
Rows = list[dict[str, float]]
RUNS = {
    "groks, seed 0": ModularArithmetic(group="groks", seed=0),
    "groks, seed 1": ModularArithmetic(group="groks", seed=1),
    "no weight decay": ModularArithmetic(group="no weight decay", seed=0, weight_decay=0.0),
    "quarter of the data": ModularArithmetic(group="quarter of the data", seed=0, train_fraction=0.25),
}


def instruments(p: int) -> list[Instrument]:
    whole = Subset(samples=4096)
    return [
        modular_addition(p=p),
        sharpness(subset=whole),
        hessian_spread(subset=whole),
        commutator(subset=whole),
        last_layer_flatness(),
        tangent_alignment(subset=Subset(samples=96), outputs=2),
        learning_coefficient(subset=whole, how=Sampling(chains=2, draws=50, burn_in=50)),
        compression(subset=whole),
        cut_weights(subset=whole),
        synergy(),
        heavy_tails(),
    ]


def train(recipe: ModularArithmetic, steps: int, seconds: dict[str, list[float]]) -> Rows:
    """Train one run and return a row of values an evaluation."""
    torch.manual_seed(recipe.seed)
    splits = dict(
        zip(
            ("train", "test"),
            operation_table("x+y", recipe.p, recipe.train_fraction, recipe.seed),
            strict=True,
        )
    )
    inputs, targets = splits["train"]
    model = PairsMLP(recipe.p, recipe.width, recipe.hidden)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, betas=(0.9, 0.98)
    )
    held, rows = instruments(recipe.p), []
    for step in range(steps + 1):
        if step % EVERY == 0:
            passes = {name: forward_pass(model, split) for name, split in splits.items()}
            context = StepContext(step=step, model=model, optimizer=optimizer, splits=splits, passes=passes)
            values = {f"{n}/accuracy": accuracy(seen.logits, seen.targets) for n, seen in passes.items()}
            rows.append({"step": step, **numbers(values), **measured(context, held, seconds)})
        began = time.perf_counter()
        optimizer.zero_grad()
        cross_entropy(model(inputs), targets).backward()
        optimizer.step()
        seconds.setdefault("training step", []).append(time.perf_counter() - began)
    return rows


def measured(
    context: StepContext, held: list[Instrument], seconds: dict[str, list[float]]
) -> dict[str, float]:
    values: dict[str, float] = {}
    for one in held:
        began = time.perf_counter()
        with preserved_state(context.model):
            values |= numbers(one(context))
        seconds.setdefault(one.name, []).append(time.perf_counter() - began)
    return values


def numbers(values: Mapping[str, Tensor | float]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items()}


def first(rows: Rows, key: str, level: float) -> int | None:
    return next((i for i, row in enumerate(rows) if row[key] >= level), None)


def halfway(rows: Rows, key: str, start: int) -> float | None:
    """Return the step by which ``key`` has covered half of its change since ``start`` for good."""
    curve = [row.get(key, math.nan) for row in rows[start:]]
    change = curve[-1] - curve[0]
    if not math.isfinite(change) or change == 0:
        return None
    done = [(value - curve[0]) / change >= 0.5 for value in curve]
    last_below = max((i for i, is_done in enumerate(done) if not is_done), default=-1)
    return rows[start + last_below + 1]["step"]


def lead(rows: Rows, key: str) -> float | None:
    start = first(rows, "train/accuracy", 0.99)
    middle = halfway(rows, "test/accuracy", start) if start is not None else None
    own = halfway(rows, key, start) if start is not None else None
    if middle is None or own is None:
        return None
    return (middle - own) / (middle - rows[start]["step"])


def show(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1500)
    steps = parser.parse_args().steps
    seconds: dict[str, list[float]] = {}
    runs: dict[str, Rows] = {}
    for name, recipe in RUNS.items():
        rows = runs[name] = train(recipe, steps, seconds)
        memorized, generalized = (
            first(rows, f"{s}/accuracy", level) for s, level in (("train", 0.99), ("test", 0.95))
        )
        dates = [None if i is None else rows[i]["step"] for i in (memorized, generalized)]
        end = rows[-1]["test/accuracy"]
        print(
            f"{name}: memorized {dates[0]}, test accuracy 0.95 at {dates[1]}, at the end {end:.3f}",
            flush=True,
        )
    print_values(runs)
    print_costs(seconds)


def print_values(runs: dict[str, Rows]) -> None:
    """Print every measure at memorization and at the end of each run, and its lead."""
    memorized = {name: first(rows, "train/accuracy", 0.99) or 0 for name, rows in runs.items()}
    print(
        "\n| measure |" + "".join(f" {name}: memorized → end |" for name in runs) + " lead, seeds 0 and 1 |"
    )
    print("|---|" + "---|" * (len(runs) + 1))
    for key in [key for key in runs["groks, seed 0"][0] if not any(word in key for word in UNTOLD)]:
        cells = [
            f"{show(rows[memorized[n]].get(key))} → {show(rows[-1].get(key))}" for n, rows in runs.items()
        ]
        leads = ", ".join(show(lead(runs[name], key)) or "none" for name in list(runs)[:2])
        print(f"| {key} | " + " | ".join(cells) + f" | {leads} |")


def print_costs(seconds: dict[str, list[float]]) -> None:
    """Print each instrument's median cost, also in training steps."""
    print("\n| instrument | median ms | training steps |\n|---|---|---|")
    step = statistics.median(seconds["training step"])
    for name, spent in seconds.items():
        print(f"| {name} | {1000 * statistics.median(spent):.2f} | {statistics.median(spent) / step:.1f} |")


if __name__ == "__main__":
    main()

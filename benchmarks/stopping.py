"""Is overfitting told from a delayed generalization? On public curves with labels, on ours, and on random
runs.

usage: python benchmarks/stopping.py FOLDER

FOLDER holds ``curves.parquet`` and ``labels.json``, ``second_curves.parquet`` and ``second_labels.json``, and
``cases/``. Runs that grok are cut before their labelled onset, which is where a person would have to
decide. Each row counts our outlooks and how many runs the rule that compares halves would stop. It takes
about a minute.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from grokscope.interventions.stopping.advice import advice_on
from grokscope.interventions.stopping.outlook import Outlook
from grokscope.interventions.stopping.synthetic import FAMILIES, draw_run

OURS = Path(__file__).parents[1] / "tests" / "data"
CUTS = (1.0, 0.8, 0.5)
RUNS = 200
THOUSANDTHS = {"axis_fractional_epochs": 1000}
OVERFIT_CASES = ("loss_only_overfit", "overfit_falls")
OVERFIT_ELSEWHERE = ("carloslfu/T2w_tiny",)
"""Runs whose labels say in words that they overfit."""

Row = tuple[str, str, pl.DataFrame]


def cuts(run: str, curves: pl.DataFrame, onset: float, kind: str) -> Iterator[Row]:
    for cut in CUTS:
        yield f"{kind}, cut at {cut:.0%} of the onset", run, curves.filter(pl.col("step") < onset * cut)


def public(folder: Path) -> Iterator[Row]:
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    for (run,), curves in pl.read_parquet(folder / "curves.parquet", glob=False).group_by(
        "run", maintain_order=True
    ):
        label = labels[run]
        pattern, onset = label["pattern"], (label.get("onset") or [None])[0]
        if label.get("confidence") == "low":
            continue
        if pattern == "grokking":
            yield from cuts(run, curves, onset, "public: groks")
        elif pattern != "other":
            yield f"public: {pattern}, whole", run, curves
        elif run.startswith("modded"):
            yield "public: pretraining, whole", run, curves


def second(folder: Path) -> Iterator[Row]:
    labels = json.loads((folder / "second_labels.json").read_text("utf-8"))
    for (run,), curves in pl.read_parquet(folder / "second_curves.parquet", glob=False).group_by(
        "run", maintain_order=True
    ):
        if labels[run]["class"] == "grokking":
            yield from cuts(run, curves, labels[run]["onset"][0], "second laboratory: groks")
        else:
            is_overfit = run in OVERFIT_ELSEWHERE
            yield f"{'overfits' if is_overfit else 'second laboratory: the rest'}, whole", run, curves


def cases(folder: Path) -> Iterator[Row]:
    for run, case in json.loads((folder / "cases" / "cases.json").read_text("utf-8")).items():
        curves = pl.read_csv(folder / "cases" / f"{run}.csv", glob=False)
        if case["expect"] == "grokking":
            yield from cuts(run, curves, case["onset"][0] / THOUSANDTHS.get(run, 1), "cases: groks")
        elif run in OVERFIT_CASES:
            yield "overfits, whole", run, curves


def ours() -> Iterator[Row]:
    labels = json.loads((OURS / "ordinary.json").read_text("utf-8"))
    for (run,), curves in pl.read_parquet(OURS / "ordinary.parquet", glob=False).group_by(
        "run", maintain_order=True
    ):
        kind = {True: "overfits", False: "ordinary learning", None: "ordinary, either answer"}[
            labels[run]["overfits"]
        ]
        yield f"{kind}, whole", run, curves


def random_runs() -> Iterator[Row]:
    for family in FAMILIES:
        for keep in ("both", "accuracy", "loss"):
            for seed in range(RUNS):
                yield f"random: {family}, {keep}", str(seed), draw_run(family, 10_000 + seed, keep=keep)


def perturbed(rows: list[Row]) -> Iterator[Row]:
    """Thin the logs of delayed and overfitting runs, add noise to them, and shift their steps."""
    rng = np.random.default_rng(0)
    for kind, run, curves in rows:
        if not kind.startswith(("public: groks", "overfits")):
            continue
        name = "overfits" if kind.startswith("overfits") else "public: groks"
        for stride in (2, 3):
            kept = pl.int_range(pl.len()).over("metric") % stride == 0
            yield f"{name}, every {stride}. evaluation", run, curves.sort("step").filter(kept)
        for size in (0.01, 0.03):
            scale = pl.col("value").abs().filter(pl.col("value").is_finite()).max().over("metric")
            noise = pl.Series("noise", size * rng.normal(size=len(curves)))
            noisy = pl.col("value") + noise * scale.clip(upper_bound=5)
            yield f"{name}, noise {size:.0%} of the scale", run, curves.with_columns(value=noisy)


def main() -> None:
    folder = Path(sys.argv[1])
    rows = [*public(folder), *second(folder), *cases(folder), *ours()]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, run, curves in (*rows, *perturbed(rows), *random_runs()):
        if curves.is_empty():
            counts[kind].update(("runs", Outlook.CANNOT_TELL.value))
            continue
        advice = advice_on(curves.select("metric", "step", "value"))
        counts[kind].update(
            ("runs", advice.outlook.value, *(("halves stop",) if advice.naive.would_stop else ()))
        )
        is_wrong = advice.may_stop if "groks" in kind else kind == "overfits, whole" and not advice.may_stop
        if is_wrong:
            print(f"wrong: {kind}: {run}: {advice.outlook.value}. {advice.because}")
    columns = ("runs", *Outlook, "halves stop")
    print("kind".ljust(50), *(f"{name:>21}" for name in columns))
    for kind in sorted(counts):
        print(kind.ljust(50), *(f"{counts[kind][str(name)]:>21}" for name in columns))


if __name__ == "__main__":
    main()

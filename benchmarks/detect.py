"""Ours against a threshold rule and change-point libraries: markdown tables on stdout.

python benchmarks/detect.py [FOLDER]     FOLDER holds labelled public curves: curves.parquet and labels.json
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import detect_live
import detect_recipes
import numpy as np
import polars as pl
import ruptures
from detect_methods import methods

from grokscope.transitions import detect
from grokscope.transitions.curves.series import curves_by_run
from grokscope.transitions.evaluation.scoring import Label, Score, labels_from_json, score
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, truth_of

LABELLED, INTERVALS, NULLS, RISES = 150, 2000, 2000, 300


def patterns(title: str, points: pl.DataFrame, labels: list[Label]) -> Iterator[str]:
    yield (
        f"| {title} | macro-F1 | false alarms | onset | overlap; width (decades) | collapse | phase change | "
        "CPU seconds |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    grids = {
        run: curves["test/accuracy"].steps
        for run, curves in curves_by_run(points).items()
        if "test/accuracy" in curves
    }
    for name, method in methods().items():
        begin = time.process_time()
        verdicts = method(points)
        seconds = time.process_time() - begin
        yield row(name, score(verdicts, labels, steps=grids), seconds, has_intervals=method is detect)


def row(name: str, result: Score, seconds: float, *, has_intervals: bool) -> str:
    width = f"{result.overlap}; {result.width_decades:.3f}" if has_intervals else "none given"
    cells = (
        name, f"{result.macro_f1:.2f}", result.false_alarms, result.onset, width, result.collapse,
        result.phase_change, f"{seconds:.2f}",
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def coverage(count: int) -> Iterator[str]:
    """How often nominal 95 % intervals hold the truth, by family of noise and of spacing."""
    runs = detect_recipes.rising(count)
    verdicts = detect(detect_recipes.points_of([recipe for _, recipe in runs]))
    rows: list[tuple[str, bool, bool, float]] = []
    for (family, recipe), verdict in zip(runs, verdicts, strict=True):
        truth, onset, midpoint = truth_of(recipe), verdict.onset, verdict.midpoint
        if onset is None or midpoint is None or truth.onset is None or truth.midpoint is None:
            continue
        hits = (onset.low <= truth.onset <= onset.high, midpoint.low <= truth.midpoint <= midpoint.high)
        width = float(np.log10(onset.high / max(onset.low, 1)))
        names = (family, f"spacing {recipe.spacing.value}", f"shape {recipe.shape.value}", "all")
        rows += [(name, *hits, width) for name in names]
    frame = pl.DataFrame(rows, schema=["family", "onset", "midpoint", "width"], orient="row")
    found = frame.group_by("family", maintain_order=True).agg(
        pl.len(), pl.col("onset").mean(), pl.col("midpoint").mean(), pl.col("width").median()
    )
    yield "| 95 % intervals, family | runs | onset covered | midpoint covered | onset width (decades) |"
    yield "|---|---|---|---|---|"
    for name, runs_of, onset, midpoint, width in found.sort("family").iter_rows():
        yield f"| {name} | {runs_of} | {onset:.1%} | {midpoint:.1%} | {width:.3f} |"


def speed() -> Iterator[str]:
    yield "| speed | CPU seconds |"
    yield "|---|---|"
    for runs, points in ((1000, 1000), (1000, 10_000), (1, 1_000_000)):
        frame = detect_recipes.points_of([of_length(points)])
        frame = pl.concat([frame.with_columns(run_id=pl.lit(f"{i:04d}")) for i in range(runs)])
        seconds = seconds_of(lambda f=frame: detect(f))
        yield f"| {runs} runs x {points} evaluations, with intervals | {seconds:.2f} |"
    lengths = np.array([3_000, 10_000, 30_000, 100_000, 300_000])
    took = [fastest(detect_recipes.points_of([of_length(int(n))])) for n in lengths]
    exponent = np.polyfit(np.log(lengths), np.log(took), 1)[0]
    yield f"| exponent of growth in points, {lengths[0]} to {lengths[-1]} | {exponent:.2f} |"
    frame = detect_recipes.points_of([of_length(2000)])
    values = frame.filter(pl.col("metric") == "test/accuracy")["value"].to_numpy()
    slow = ruptures.Pelt(model="rbf", jump=5)
    yield f"| one run x 2,000 evaluations | {fastest(frame):.4f} |"
    seconds = seconds_of(lambda: slow.fit(values[:, None]).predict(pen=1.0))
    yield f"| ruptures Pelt rbf, jump 5, on its held-out curve alone | {seconds:.1f} |"


def of_length(points: int) -> CurveRecipe:
    last = 20 * points
    return CurveRecipe(
        evaluations=points, spacing=Spacing.LINEAR, last_step=last, midpoint=0.3 * last, noise=0.02
    )


def seconds_of(work: Callable[[], object]) -> float:
    """CPU seconds: on a shared machine the clock tells what the others do."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def fastest(frame: pl.DataFrame) -> float:
    return min(seconds_of(lambda: detect(frame)) for _ in range(3))


def main(folder: Path | None) -> None:
    tables = [patterns("synthetic runs", *detect_recipes.labelled(LABELLED))]
    if folder is not None and (folder / "curves.parquet").is_file():
        points = pl.read_parquet(folder / "curves.parquet", glob=False)
        labels = labels_from_json(folder / "labels.json")
        tables.insert(0, patterns("public curves", points, labels))
    tables += [coverage(INTERVALS), detect_live.table(NULLS, RISES), detect_live.update_cost(), speed()]
    for lines in tables:
        for line in lines:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else None)

"""The frames behind tables: numbers stay numbers, so that columns sort."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.dashboard.charts.elements.axes import StepAxis, ceiling
from grokscope.dashboard.charts.elements.quantity import is_whole_share, quantity_name
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.phases import Phase, phase_of
from grokscope.dashboard.tables.main_metric import TEST, main_curves
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.patterns import PATTERN_WORDS
from grokscope.schemas import Date, Kind, Pattern, Verdict, mapped, score_of

_SO_FAR = {Phase.WAITING: "memorized so far"}
SPARK_POINTS = 48


def runs_table(snapshot: Snapshot) -> pl.DataFrame:
    """Return one row a run: what it is, what it did, and when; dates are steps, shares are 0 to 1."""
    held_out = main_curves(snapshot).filter(pl.col("role") == TEST)
    last = last_values(held_out)
    judged: dict[str, str] = dict(held_out.select("run_id", "metric").unique().iter_rows())
    lines = sparklines(held_out, last_step=ceiling(snapshot.runs["step"]))
    rows = [
        (
            run["run_id"],
            run["label"],
            status_of(run),
            plain(judged[run["run_id"]]) if run["run_id"] in judged else None,
            lines.get(run["run_id"], []),
            pattern_word(snapshot.verdicts.get(run["run_id"])),
            *_dates(snapshot.verdicts.get(run["run_id"])),
            lost_at(snapshot.verdicts.get(run["run_id"])),
            last.get((run["run_id"], judged.get(run["run_id"], ""))),
            run["group"],
            run["seed"],
            run["step"],
        )
        for run in snapshot.runs.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=_RUNS_TABLE, orient="row")


_RUNS_TABLE = pl.Schema(
    {
        "run_id": pl.String(),
        "run": pl.String(),
        "status": pl.String(),
        "judged by": pl.String(),
        "held-out curve": pl.List(pl.Float64()),
        "pattern": pl.String(),
        "memorized": pl.Int64(),
        "onset": pl.Int64(),
        "onset 95 %": pl.String(),
        "midpoint": pl.Int64(),
        "completion": pl.Int64(),
        "delay": pl.Int64(),
        "delay ratio": pl.Float64(),
        "collapse": pl.Int64(),
        "final": pl.Float64(),
        "group": pl.String(),
        "seed": pl.Int64(),
        "step": pl.Int64(),
    }
)

GROUP_TABLE = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "grokked": pl.Int64(),
        "median onset": pl.Float64(),
        "onset range": pl.String(),
        "median delay ratio": pl.Float64(),
        "median final": pl.Float64(),
    }
)


def groups_table(runs: pl.DataFrame, groups: Sequence[str]) -> pl.DataFrame:
    """Return one row a group of the given runs: how many grokked, and when.

    A median of final values is told where all runs of the group are judged by one quantity.
    Runs that did not grok are counted in ``runs`` and have no part in the medians: a median over those
    that did is not the median time to grok of all, which is why both counts stand beside it.

    Args:
        runs: Rows of ``runs_table``.
        groups: In their order.
    """
    grokked = pl.col("pattern") == PATTERN_WORDS[Pattern.GROKKING].word
    onset = pl.col("onset").filter(grokked)
    quantity = pl.col("quantity")
    runs = runs.with_columns(quantity=mapped(runs["judged by"], quantity_name))
    grouped = runs.group_by("group", maintain_order=True).agg(
        pl.len().cast(pl.Int64()).alias("runs"),
        grokked.sum().cast(pl.Int64()).alias("grokked"),
        onset.median().alias("median onset"),
        onset.min().alias("low"),
        onset.max().alias("high"),
        pl.col("delay ratio").filter(grokked).median().alias("median delay ratio"),
        pl.when(quantity.drop_nulls().n_unique() == 1).then(pl.col("final").median()).alias("median final"),
    )
    ranges = [
        None if low is None else f"{phrases.steps(low)} – {phrases.steps(high)}"
        for low, high in grouped.select("low", "high").iter_rows()
    ]
    order = {group: place for place, group in enumerate(groups)}
    return (
        grouped.with_columns(pl.Series("onset range", ranges, dtype=pl.String()))
        .sort(pl.col("group").replace_strict(order, default=len(order), return_dtype=pl.Int64()))
        .select(GROUP_TABLE.names())
    )


def status_of(run: Mapping[str, object]) -> str:
    """Return a run's state in a word; a run that is called running and has fallen silent is ``silent``."""
    status = str(run["status"])
    return (
        "silent"
        if run["silent"]
        else {"RUNNING": "training", "SCHEDULED": "waiting"}.get(status, status.lower())
    )


def pattern_word(verdict: Verdict | None) -> str | None:
    """Return the pattern's word; of a run still changing, the phase it is in."""
    if verdict is None:
        return None
    return (
        _SO_FAR.get(phase_of(verdict), phase_of(verdict).value)
        if verdict.in_progress
        else PATTERN_WORDS[verdict.pattern].word
    )


def lost_at(verdict: Verdict | None) -> int | None:
    """Return the step at which a run lost what it had reached; ``None`` of one that kept or never had it."""
    if verdict is None or verdict.pattern is not Pattern.COLLAPSE:
        return None
    return next((event.step for event in verdict.transitions if event.kind is Kind.COLLAPSE), None)


def last_values(curves: pl.DataFrame) -> dict[tuple[str, str], float]:
    """Return the last finite value of each (run, metric)."""
    finite = curves.filter(pl.col("value").is_finite()).sort("step")
    frame = finite.group_by("run_id", "metric").agg(pl.col("value").last())
    return {(run, metric): value for run, metric, value in frame.iter_rows()}


def sparklines(points: pl.DataFrame, *, last_step: int) -> dict[str, list[float]]:
    """Return each run's held-out curve at equal distances of the log-step axis, for a cell of a table.

    Scores between 0 and 1 are as they are; others go from 0, the run's lowest value, to 1, its highest.

    Args:
        points: One curve a run.
        last_step: Where the axis ends.
    """
    curves = _between_0_and_1(points.filter(pl.col("value").is_finite())).sort("run_id", "step")
    axis = StepAxis(last=last_step)
    places = axis.position(curves["step"].to_numpy().astype(np.float64))
    values: NDArray[np.float64] = curves["value"].to_numpy()
    grid: NDArray[np.float64] = np.linspace(
        0, float(axis.position(np.asarray([float(axis.last)]))[0]), SPARK_POINTS
    )
    ends = curves.select(pl.col("run_id").rle()).unnest("run_id")
    lines: dict[str, list[float]] = {}
    begin = 0
    for run_id, count in zip(ends["value"].to_list(), ends["len"].to_list(), strict=True):
        own = slice(begin, begin + count)
        reached = grid[grid <= places[own][-1]]
        lines[run_id] = np.interp(reached, places[own], values[own]).round(4).tolist()
        begin += count
    return lines


def _between_0_and_1(points: pl.DataFrame) -> pl.DataFrame:
    """Return points with the curves that are no shares rescaled, each by itself."""
    names = points["metric"].unique().to_list()
    scores = {name: score_of(name) for name in names}
    shares = [name for name, score in scores.items() if score is not None and is_whole_share(score)]
    value = pl.col("value")
    low, high = value.min().over("run_id"), value.max().over("run_id")
    rescaled = pl.when(high > low).then((value - low) / (high - low)).otherwise(0.5)
    return points.with_columns(value=pl.when(pl.col("metric").is_in(shares)).then(value).otherwise(rescaled))


def _dates(verdict: Verdict | None) -> tuple[object, ...]:
    """Return memorized, onset, its interval, midpoint, completion, delay and delay ratio."""
    if verdict is None:
        return (None,) * 7

    def step(date: Date | None) -> int | None:
        return None if date is None else date.step

    return (
        step(verdict.memorized),
        step(verdict.onset),
        phrases.interval(verdict.onset) if verdict.onset else None,
        step(verdict.midpoint),
        step(verdict.generalized),
        verdict.delay.steps if verdict.delay else None,
        verdict.delay.ratio if verdict.delay else None,
    )

"""Runs with what their params and their latest points say about them."""

from collections import Counter
from collections.abc import Mapping

import polars as pl

from grokscope.dashboard.data import RUNS_SCHEMA
from grokscope.dashboard.escaping import plain

SILENT_MS = 30_000
"""A trainer that has said nothing for this long, and for five of its usual pauses, is called silent."""

_PAUSES = 5
UNGROUPED = "no group"
_PLANNED = ("compute.exposure.steps", "max_steps", "total_steps", "num_steps", "steps")


def described(runs: pl.DataFrame, params: pl.DataFrame, points: pl.DataFrame, *, now_ms: int) -> pl.DataFrame:
    """Return ``RUNS_SCHEMA``: runs with a unique label, their group, seed and plan, and who is silent."""
    known: dict[str, dict[str, str]] = {}
    for run_id, key, value in params.iter_rows():
        known.setdefault(run_id, {})[key] = value
    ids: list[str] = runs["run_id"].to_list()
    own = [known.get(run_id, {}) for run_id in ids]
    columns = {
        "label": _labels(runs),
        "group": [plain(p.get("group", "")) or UNGROUPED for p in own],
        "seed": [_whole(p, ("seed",)) for p in own],
        "planned": [_whole(p, _PLANNED) for p in own],
    }
    frame = runs.with_columns(*(pl.Series(k, v, dtype=RUNS_SCHEMA[k]) for k, v in columns.items()))
    return frame.with_columns(_silent(runs, points, now_ms=now_ms)).select(RUNS_SCHEMA.names())


def _silent(runs: pl.DataFrame, points: pl.DataFrame, *, now_ms: int) -> pl.Series:
    """Return ``silent``: of the runs that are called running, those not heard of for too long."""
    heard = pl.max_horizontal("last_ms", "start_ms").fill_null(now_ms)
    since = runs.select("run_id", "status", pause=now_ms - heard, ran=heard - pl.col("start_ms"))
    late = since.filter((pl.col("status") == "RUNNING") & (pl.col("pause") > SILENT_MS))
    # No usual pause is longer than the run itself: a store of runs that died long ago is told without points.
    gone = late.filter(pl.col("pause") > _PAUSES * pl.col("ran"))["run_id"]
    open_ = late.filter(~pl.col("run_id").is_in(gone.implode()))
    usual = _usual_pause(points.join(open_, on="run_id", how="semi"))
    limits = [_PAUSES * usual.get(run, 0) for run in open_["run_id"]]
    found = {*gone, *open_.filter(pl.col("pause") > pl.Series(limits, dtype=pl.Int64))["run_id"]}
    return pl.Series("silent", [run in found for run in runs["run_id"]], dtype=pl.Boolean)


def _labels(runs: pl.DataFrame) -> list[str]:
    names = [
        plain(name, limit=80) or run_id[:8] for run_id, name in runs.select("run_id", "name").iter_rows()
    ]
    counts = Counter(names)
    return [
        f"{name} ({run_id[:6]})" if counts[name] > 1 else name
        for name, run_id in zip(names, runs["run_id"], strict=True)
    ]


def _whole(params: Mapping[str, str], keys: tuple[str, ...]) -> int | None:
    text = next((params[key] for key in keys if key in params), None)
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    # Params are free text: "1e400" and "nan" parse as floats, and what no step counter reaches is not a step.
    return int(value) if value is not None and abs(value) < 2**62 and value == int(value) else None


def _usual_pause(points: pl.DataFrame) -> dict[str, int]:
    """Return the median time between evaluations, in milliseconds, by run."""
    times = points.select("run_id", "step", "time_ms").unique().sort("run_id", "time_ms")
    pauses = times.group_by("run_id").agg(pl.col("time_ms").unique().sort().diff().median().alias("pause"))
    return {run: int(pause) for run, pause in pauses.drop_nulls().iter_rows()}

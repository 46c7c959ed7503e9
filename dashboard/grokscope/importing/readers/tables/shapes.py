"""What the columns of a table mean: tidy, wide, W&B's chart exports, one series whose name is the file's."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.importing.limits import Tally
from grokscope.importing.readers.tables.apart import told_apart
from grokscope.importing.readers.tables.clocks import Clock, clock_of, counted_rows, is_clock, plain_name
from grokscope.importing.readers.tables.evaluations import SPLIT_COLUMNS, placed
from grokscope.importing.readers.tables.numbers import numbers
from grokscope.importing.readers.tables.params import ToldRuns, told_runs
from grokscope.importing.readers.tables.table import Table, listed
from grokscope.importing.readers.tables.times import is_time, times_of
from grokscope.importing.records import NotALogError
from grokscope.schemas.metrics.reading import read_alone
from grokscope.schemas.metrics.vocabulary import SPLIT_OF
from grokscope.schemas.runs.table_params import UNIT_METRICS

_RUNS = ("run", "run_id", "run_uuid", "run_name")
_METRICS = ("metric", "metric_name", "tag", "key", "attribute_path", "variable")
VALUES = ("value", "values", "float_value", "metric_value")
_NAMES = ("name", "experiment")
_BOUND = re.compile(r"__(MIN|MAX)$")
_CHART = re.compile(r"(?P<run>.+?) - (?P<metric>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The points of a table.

    Attributes:
        points: ``run, name, experiment, metric, step, time_ms, value`` in the table's order; steps are
            Int64, or Float64 where there are fractions, and null where a row has none.
        notes: What is to be said of how it was read.
        told: What it says of its runs beside their points; ``None`` unless it has one value a row.
        is_nameless: Its one metric has no name but the file's.
        counted: Metrics that columns beside the values count what was spent in.
    """

    points: pl.DataFrame
    notes: tuple[str, ...]
    told: ToldRuns | None = None
    is_nameless: bool = False
    counted: frozenset[str] = frozenset()


def charts_apart(table: pl.DataFrame) -> pl.DataFrame:
    """Return a chart's export (``Step``, ``<run> - <metric>``, ``…__MIN``, ``…__MAX``) as a tidy table."""
    step = next((name for name in table.columns if is_clock(name)), None)
    columns = [name for name in table.columns if not is_clock(name) and _BOUND.search(name) is None]
    found = {name: match for name in columns if (match := _CHART.fullmatch(name)) is not None}
    if step is None or not found or len(found) < len(columns):
        return table
    return pl.concat(
        table.select(
            pl.lit(match["run"]).alias("run"),
            pl.lit(match["metric"]).alias("metric"),
            pl.col(step).alias("step"),
            pl.col(name).cast(pl.String).alias("value"),
        )
        for name, match in found.items()
    )


def _split_apart(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose rows say of which split they are (``phase``: train, val) with a column a split."""
    told = next((name for name in table.columns if plain_name(name) in SPLIT_COLUMNS), None)
    splits = [] if told is None else table[told].drop_nulls().unique(maintain_order=True).to_list()
    is_told = len(splits) > 1 and all(isinstance(one, str) and one.lower() in SPLIT_OF for one in splits)
    if told is None or not is_told or _first(table, VALUES) is not None:
        return table
    scores = [name for name in table.columns if read_alone(name).score is not None]
    apart = [
        pl.when(pl.col(told) == split).then(pl.col(name)).alias(f"{split}/{name}")
        for split in splits
        for name in scores
    ]
    return table.with_columns(apart).drop(told, *scores)


def curves_of(table: Table, tally: Tally, *, asked: str | None = None) -> Curves:
    """Return the points of a table.

    Args:
        table: As read.
        tally: Counts points.
        asked: The column to take steps from.

    Raises:
        ImportingError: If it holds no curve.
    """
    frame, said = placed(charts_apart(table.frame))
    frame = _split_apart(frame)
    frame = frame.drop(name for name in frame.columns if frame.height and frame[name].is_null().all())
    run, metric, value = (_first(frame, names) for names in (_RUNS, _METRICS, VALUES))
    if metric is None and value is not None:
        metric = _first(frame, ("name",))
    is_tidy = metric is not None and value is not None and not _is_numeric(frame[metric])
    of_metric = [_texts(frame, metric).alias("metric")] if is_tidy else []
    runs = _texts(frame, run).alias("run")
    clock = clock_of(frame, asked=asked, runs=runs) or _rows_as_steps(frame, pl.DataFrame([runs, *of_metric]))
    taken, notes = (run, *clock.columns), (*table.notes, *said, *clock.notes)
    if run is None and (apart := told_apart(frame, pl.DataFrame([clock.steps.alias("step"), *of_metric]))):
        runs, taken = apart[0], (*taken, *apart[1])
        notes = (*notes, f"its runs are told apart by {' and '.join(map(repr, apart[1]))}")
    names = [_texts(frame, name if is_tidy and name != metric else None).alias(name) for name in _NAMES]
    base = pl.DataFrame([runs, *names, clock.steps.alias("step"), times_of(frame).alias("time_ms")])
    if is_tidy and value is not None:
        values = numbers(frame[value], is_semicolon=table.is_semicolon).alias("value")
        found = base.with_columns(*of_metric, values).drop_nulls(["metric", "value"])
        told = told_runs(frame, runs, taken=(run, metric, value, *clock.columns))
        spent = pl.concat([found.clear(), *_spent(frame, base, found, taken=taken)])
        notes, counted = (*notes, *([told.note] if told.note else [])), frozenset(spent["metric"])
        return Curves(points=pl.concat([found, spent]), notes=notes, told=told, counted=counted)
    curves = [name for name in frame.columns if _is_curve(name, frame, taken)]
    points = _melted(frame.select(curves), base, table, tally)
    return Curves(points=points, notes=notes, is_nameless=curves == [value])


def _spent(
    frame: pl.DataFrame, base: pl.DataFrame, found: pl.DataFrame, *, taken: Sequence[str | None]
) -> Iterator[pl.DataFrame]:
    """Yield what the columns of a tidy table count beside each value, as the metrics that count it.

    At one step the largest counts: the values of a step are not written at once.
    """
    have, runs = set(found["metric"].unique()), found.select("run").unique()
    for unit, metric in UNIT_METRICS.items():
        if unit in frame.columns and unit not in taken and metric not in have and _is_numeric(frame[unit]):
            counted = base.with_columns(pl.lit(metric).alias("metric"), numbers(frame[unit]).alias("value"))
            of_runs = counted.drop_nulls("value").join(runs, on="run", how="semi", nulls_equal=True)
            last = of_runs.sort("value", maintain_order=True)
            yield last.unique(["run", "step"], keep="last", maintain_order=True)


def _rows_as_steps(frame: pl.DataFrame, groups: pl.DataFrame) -> Clock:
    if "metric" not in groups.columns and not any(read_alone(name).key is not None for name in frame.columns):
        raise NotALogError(
            f"it has no column of steps; it has {listed(frame.columns)}. Name one with --step NAME"
        )
    if not frame.height:
        raise NotALogError("it has a header and no rows; nothing was written below it yet")
    if frame.height < 2:  # noqa: PLR2004
        raise NotALogError("it holds one row and no steps, which is a result and no curve")
    return Clock(steps=counted_rows(groups), notes=("it has no column of steps: rows are counted, from 0",))


def _is_curve(name: str, frame: pl.DataFrame, taken: Sequence[str | None]) -> bool:
    return name not in taken and not name.startswith("_") and not is_time(name, frame[name])


def _melted(curves: pl.DataFrame, base: pl.DataFrame, table: Table, tally: Tally) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    count = 0
    for name in curves.columns:
        values = numbers(curves[name], is_semicolon=table.is_semicolon).alias("value")
        parts.append(base.with_columns(pl.lit(name).alias("metric"), values).drop_nulls("value"))
        count += parts[-1].height
        if count > tally.limits.points:
            tally.points(count)
    if not count:
        raise NotALogError(f"it has no column of numbers beside the steps; it has {listed(curves.columns)}")
    return pl.concat(parts)


def _first(frame: pl.DataFrame, names: Sequence[str]) -> str | None:
    plain = {plain_name(name): name for name in reversed(frame.columns) if not name.startswith("_")}
    return next((plain[name] for name in names if name in plain), None)


def _texts(frame: pl.DataFrame, name: str | None) -> pl.Series:
    if name is None or name not in frame.columns:
        return pl.Series([None] * frame.height, dtype=pl.String)
    return frame[name].cast(pl.String)


def _is_numeric(cells: pl.Series) -> bool:
    read = numbers(cells)
    return cells.null_count() < len(cells) and read.null_count() == cells.null_count()

"""Frames of points: one row a value, many runs in one frame."""

from collections.abc import Callable

import polars as pl

from grokscope.schemas.errors import InvalidPointsError

POINT_SCHEMA = pl.Schema(
    {
        "run_id": pl.String(),
        "metric": pl.String(),
        "step": pl.Int64(),
        "time_ms": pl.Int64(),
        "value": pl.Float64(),
    }
)
"""Columns of a frame of points, in order. ``time_ms`` may be null; NaN and ±Inf are kept in ``value``."""

THOUSAND = 1000
"""Steps that are fractions are counted in thousandths."""
DATES_IN_THOUSANDTHS = "Its steps are fractions; they and all dates are counted in thousandths."
"""What is said of such a run where it is judged."""
_REQUIRED = ("metric", "step", "value")


def empty_points() -> pl.DataFrame:
    """Return a frame of points without rows.

    >>> empty_points().shape
    (0, 5)
    """
    return POINT_SCHEMA.to_frame()


def as_points(frame: pl.DataFrame, *, run_id: str = "run") -> pl.DataFrame:
    """Return ``frame`` with exactly the columns and types of a frame of points.

    Args:
        frame: Columns ``metric, step, value`` and optionally ``time_ms`` and ``run_id`` (or ``run``), in
            any order; other columns are dropped. Steps may be floats; those of a run that has fractions (an
            epoch and a half) are counted in thousandths.
        run_id: What rows without a run column belong to.

    Returns:
        A frame with ``POINT_SCHEMA``; rows are neither dropped nor reordered. A null value becomes NaN.

    Raises:
        InvalidPointsError: If a column is missing, has a type that cannot be read as what it should be,
            or a step or name is null.

    >>> as_points(pl.DataFrame({"metric": ["test/loss"], "step": [3.0], "value": [1]})).row(0)
    ('run', 'test/loss', 3, None, 1.0)
    >>> as_points(pl.DataFrame({"metric": ["m", "m"], "step": [0.5, 1], "value": [1, 1]}))["step"].to_list()
    [500, 1000]
    """
    frame = _with_run_id(frame, run_id)
    frame = _with_whole_steps(frame)
    columns = [_cast(frame, name, dtype) for name, dtype in POINT_SCHEMA.items()]
    points = pl.DataFrame(columns).with_columns(pl.col("value").fill_null(float("nan")))
    _check_nulls(points)
    return points


def fractional_runs(frame: pl.DataFrame, *, run_id: str = "run") -> frozenset[str]:
    """Return the runs of which a step is no whole number: ``as_points`` counts theirs in thousandths.

    Args:
        frame: As for ``as_points``.
        run_id: What rows without a run column belong to.

    >>> fractional_runs(pl.DataFrame({"run": ["a", "b"], "metric": "m", "step": [0.5, 1.0], "value": 1.0}))
    frozenset({'a'})
    """
    if "step" not in frame.columns or not frame["step"].dtype.is_float():
        return frozenset()
    return frozenset(map(str, _fractional_runs(_with_run_id(frame, run_id))))


def _with_run_id(frame: pl.DataFrame, run_id: str) -> pl.DataFrame:
    """Return ``frame`` with columns for the run and the time; refuse it if it lacks another one."""
    if "run_id" not in frame.columns and "run" in frame.columns:
        frame = frame.rename({"run": "run_id"})
    missing = [name for name in _REQUIRED if name not in frame.columns]
    if missing:
        raise InvalidPointsError(
            f"points need the columns {', '.join(_REQUIRED)} (and optionally run, time_ms); "
            f"{', '.join(missing)} missing, got {', '.join(frame.columns) or 'none'}. "
            "Rename the columns, one row a value."
        )
    if "run_id" not in frame.columns:
        frame = frame.with_columns(pl.lit(run_id).alias("run_id"))
    if "time_ms" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("time_ms"))
    return frame


def latest(points: pl.DataFrame) -> pl.DataFrame:
    """Return ``points`` with one value a (run, metric, step), sorted by step: the latest ``time_ms`` wins.

    Rows of equal or missing time are decided by their order: the last one wins.

    >>> frame = pl.DataFrame({"metric": ["m", "m"], "step": [1, 1], "time_ms": [5, 4], "value": [1.0, 2.0]})
    >>> latest(as_points(frame))["value"].to_list()
    [1.0]
    """
    key = ["run_id", "metric", "step"]
    ordered = points.sort([*key, "time_ms"], nulls_last=False, maintain_order=True)
    return ordered.unique(subset=key, keep="last", maintain_order=True)


def mapped(texts: pl.Series, rule: Callable[[str], str]) -> pl.Series:
    """Return ``rule`` of each text; a missing one stays missing.

    ``rule`` is called here, in the caller's thread, once a distinct text. Inside a polars expression it would
    be called on polars' own threads, which then wait for Python's lock while whoever holds that lock may be
    waiting for these threads: the whole process stands still, for good.

    >>> mapped(pl.Series("name", ["a", None, "b"]), str.upper).to_list()
    ['A', None, 'B']
    """
    distinct = texts.unique().drop_nulls().to_list()
    return texts.replace_strict({text: rule(text) for text in distinct}, return_dtype=pl.String())


def _cast(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    try:
        return frame[name].cast(dtype, strict=True)
    except pl.exceptions.PolarsError as error:
        raise InvalidPointsError(
            f"column {name!r} must hold {dtype} values, got {frame[name].dtype}: "
            f"{str(error).splitlines()[0]}. Convert the column first."
        ) from error


def _with_whole_steps(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` with whole numbers for steps: those of a run that has fractions in thousandths."""
    steps = frame["step"]
    if not steps.dtype.is_float():
        return frame
    if not steps.is_finite().fill_null(value=True).all():
        raise InvalidPointsError(
            "column 'step' must hold finite numbers, got NaN or an infinity. Drop or repair those rows."
        )
    runs = _fractional_runs(frame)
    if runs.is_empty():
        return frame
    in_thousandths = (pl.col("step") * THOUSAND).round()
    is_fractional = pl.col("run_id").is_in(runs.implode())
    return frame.with_columns(pl.when(is_fractional).then(in_thousandths).otherwise("step").alias("step"))


def _fractional_runs(frame: pl.DataFrame) -> pl.Series:
    """Return the runs of which a step is no whole number."""
    if not frame["step"].dtype.is_float():
        return frame["run_id"].clear()
    is_fraction = frame["step"] != frame["step"].round()
    return frame["run_id"].filter(is_fraction.fill_null(value=False)).unique()


def _check_nulls(points: pl.DataFrame) -> None:
    for name in ("run_id", "metric", "step"):
        if points[name].null_count():
            raise InvalidPointsError(
                f"column {name!r} has {points[name].null_count()} empty cells; every point needs one. "
                "Drop or fill those rows."
            )

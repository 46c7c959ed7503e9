"""Frames of points: one row a value, many runs in one frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
IN_THOUSANDTHS = "Its steps are fractions; they and all dates are counted in thousandths."
"""What is said of such a run."""
_STEPS_END = 2**63 / THOUSAND
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UsablePoints:
    """The points of a log that can be read, and what is to be said of the rest.

    Attributes:
        points: As ``as_points`` returns them.
        in_thousandths: Runs whose steps are fractions and were counted in thousandths.
        left_out: Run -> why it was left out, in one sentence.
    """

    points: pl.DataFrame
    in_thousandths: frozenset[str]
    left_out: Mapping[str, str]


def usable_points(frame: pl.DataFrame, *, run_id: str = "run") -> UsablePoints:
    """Return the points of those runs that can be read: one bad run does not take the others with it.

    Args:
        frame: As for ``as_points``.
        run_id: What rows without a run column belong to.

    Raises:
        InvalidPointsError: As ``as_points`` does, if a column is missing or no run can be read.

    >>> steps = pl.Series([1.0, float("nan"), 0.5])
    >>> log = pl.DataFrame({"run": ["a", "b", "c"], "metric": "m", "step": steps, "value": 1.0})
    >>> usable = usable_points(log)
    >>> usable.points["run_id"].to_list(), set(usable.in_thousandths), dict(usable.left_out)
    (['a', 'c'], {'c'}, {'b': '1 of its 1 points have no step.'})
    """
    frame = _with_run_id(frame, run_id)
    bad = {name: _bad_by_run(frame, name) for name in ("metric", "step", "value")}
    left_out = {run: sentence for reasons in reversed(bad.values()) for run, sentence in reasons.items()}
    is_left_out = pl.col("run_id").cast(pl.String()).is_in(list(left_out)).fill_null(value=False)
    kept = frame.filter(~is_left_out)
    if not kept.height:
        kept, left_out = frame, {}  # nothing is left: the error says why
    if left_out:
        as_text = [name for name in ("step", "value") if kept[name].dtype == pl.String()]
        kept = kept.with_columns(pl.col(as_text).cast(pl.Float64()))
    return UsablePoints(points=as_points(kept), in_thousandths=fractional_runs(kept), left_out=left_out)


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


def _bad_by_run(frame: pl.DataFrame, column: str) -> dict[str, str]:
    """Return run -> a sentence, of the runs that hold what ``column`` may not."""
    cells = frame[column]
    if column == "metric":
        is_bad, what = cells.is_null(), "no name"
    elif not (cells.dtype.is_numeric() or cells.dtype == pl.String()):
        return {}
    elif column == "value":
        is_bad, what = cells.cast(pl.Float64(), strict=False).is_null() & cells.is_not_null(), "no number"
    else:
        steps = cells.cast(pl.Float64(), strict=False)
        is_bad, what = (
            (steps.is_finite() & (steps.abs() < _STEPS_END)).fill_null(value=False).not_(),
            "no step",
        )
    if not is_bad.any():
        return {}
    counted = frame.select("run_id", is_bad.alias("bad")).group_by("run_id").agg(pl.sum("bad"), pl.len())
    rows = counted.filter(pl.col("bad") > 0).sort("run_id").iter_rows()
    return {str(run): f"{bad} of its {of} points have {what}." for run, bad, of in rows}


def _check_nulls(points: pl.DataFrame) -> None:
    for name in ("run_id", "metric", "step"):
        if points[name].null_count():
            raise InvalidPointsError(
                f"column {name!r} has {points[name].null_count()} empty cells; every point needs one. "
                "Drop or fill those rows."
            )

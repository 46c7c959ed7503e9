"""Steps of logs as whole numbers: fractions are counted in thousandths, and a metric may count the steps."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from grokscope.importing.records import LOG_SCHEMA, ImportingError
from grokscope.schemas.frames import THOUSAND
from grokscope.schemas.runs.step_unit import IN_THOUSANDTHS

_END = 2.0**63
FALL_BACK = (
    "its steps fall back, as where a file holds several trainings; of two values at a step, the later is kept"
)
"""What is said of a run that goes through steps again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSteps:
    """Steps of one run.

    Attributes:
        steps: Whole numbers, in the order given.
        in_thousandths: They were fractions, and are counted in thousandths.
    """

    steps: pl.Series
    in_thousandths: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the run."""
        return (IN_THOUSANDTHS,) if self.in_thousandths else ()


def whole_steps(steps: pl.Series, *, where: str) -> WholeSteps:
    """Return the steps of one run as whole numbers; if one is a fraction, all are counted in thousandths.

    Args:
        steps: Numbers, or texts of numbers; epochs for instance.
        where: What to call the source in an error.

    Raises:
        ImportingError: If one is no finite number, or too large for a step.

    >>> whole_steps(pl.Series(["0", "10"]), where="a.csv").steps.to_list()
    [0, 10]
    >>> epochs = whole_steps(pl.Series([0.5, 1.0]), where="a.csv")
    >>> epochs.steps.to_list(), epochs.in_thousandths
    ([500, 1000], True)
    """
    texts = steps.str.strip_chars() if steps.dtype == pl.String() else steps
    exact = texts.cast(pl.Int64, strict=False)
    floats = texts.cast(pl.Float64, strict=False)
    is_fraction = bool((floats.is_finite() & (floats != floats.round())).any())
    most = _END / THOUSAND if is_fraction else _END
    is_bad = ~(floats.is_finite() & (floats.abs() < most)).fill_null(value=False)
    if is_bad.any():
        row = int(is_bad.arg_max() or 0)
        raise ImportingError(
            f"{where!r} has the step {steps[row]!r} in row {row + 1}, which is no number that counts; "
            "repair or drop the row, or say with --step what counts the steps"
        )
    if is_fraction:
        whole = (floats * THOUSAND).round().cast(pl.Int64)
    else:  # large whole numbers keep their last digits
        whole = exact.fill_null(floats.cast(pl.Int64, strict=False)) if exact.has_nulls() else exact
    return WholeSteps(steps=whole, in_thousandths=is_fraction)


def counted_frame(
    rows: Sequence[tuple[str, int | float, int | None, float]], *, where: str
) -> tuple[pl.DataFrame, WholeSteps]:
    """Return rows of metric, step, time in ms and value as the points of a ``Log``, and what its steps are.

    >>> points, whole = counted_frame([("loss", 0.5, None, 2.0), ("loss", 1, None, 1.0)], where="a.json")
    >>> points["step"].to_list(), whole.notes
    ([500, 1000], ('its steps are fractions; they are counted in thousandths',))
    """
    steps = [step for _, step, _, _ in rows]
    is_whole = all(isinstance(step, int) for step in steps)
    whole = whole_steps(pl.Series("step", steps, dtype=None if is_whole else pl.Float64()), where=where)
    columns = {"metric": [row[0] for row in rows], "time_ms": [row[2] for row in rows]}
    frame = pl.DataFrame({**columns, "step": whole.steps, "value": [row[3] for row in rows]})
    return frame.select(LOG_SCHEMA.names()).cast(LOG_SCHEMA), whole


def epoch_length(steps: Iterable[float]) -> float:
    """Return how many steps an epoch has, where they start again in each: at least those that were logged.

    Steps that were logged at one distance go on at it into the next epoch, unless the last one lies off it.

    Args:
        steps: Of all epochs, at least one.

    >>> epoch_length([0, 10, 20, 0, 10, 20]), epoch_length([10, 20, 10, 20]), epoch_length([0, 10, 20, 25])
    (30, 20, 26)
    """
    seen = sorted(set(steps))
    first, last = seen[0], seen[-1]
    distances = Counter(later - earlier for earlier, later in pairwise(seen))
    distance = distances.most_common(1)[0][0] if distances else 1
    return last - first + (1 if (last - first) % distance else distance)


def counted_together(length: float, *, what: str = "its steps start") -> str:
    """Return what is said of a run whose steps were counted over all its epochs.

    >>> counted_together(1000)
    'its steps start again in each epoch, so that they are counted together, 1,000 an epoch'
    """
    return f"{what} again in each epoch, so that they are counted together, {length:,.0f} an epoch"


def counted_by(points: pl.DataFrame, name: str, *, where: str) -> tuple[pl.DataFrame, bool]:
    """Return points whose steps are counted by one of their own metrics, and whether in thousandths.

    A point takes the value that the metric had last at its step; points before the first one are left out.

    Args:
        points: As of a ``Log``.
        name: The metric; it is no curve any more.
        where: What to call the source in an error.

    Raises:
        ImportingError: If there is no such metric, or one of its values is no step.

    >>> rows = [("iter", 1, 0, 50.0), ("loss", 1, 0, 2.0)]
    >>> log = pl.DataFrame(rows, schema=["metric", "step", "time_ms", "value"], orient="row")
    >>> points, in_thousandths = counted_by(log, "iter", where="log")
    >>> points.rows(), in_thousandths
    ([('loss', 50, 0, 2.0)], False)
    """
    counter = points.filter(pl.col("metric") == name).unique("step", keep="last").sort("step")
    if counter.is_empty():
        known = ", ".join(repr(one) for one in sorted(points["metric"].unique())[:8]) or "none"
        raise ImportingError(f"{where!r} has no metric {name!r} to count the steps by; it has {known}")
    whole = whole_steps(counter["value"], where=where)
    counted = pl.DataFrame([counter["step"], whole.steps.alias("counted")])
    rest = points.filter(pl.col("metric") != name).with_row_index("row").sort("step", maintain_order=True)
    joined = rest.join_asof(counted, on="step", strategy="backward").sort("row").drop_nulls("counted")
    return joined.with_columns(pl.col("counted").alias("step")).select(points.columns), whole.in_thousandths

"""One variable of a design: a column of numbers, on a log axis where it spans a decade."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.schemas import GrokscopeError

FloatArray = NDArray[np.float64]

_LARGEST = 700.0
DECADE = 10.0
"""A positive variable whose largest value is so many times its smallest is taken by its logarithm."""


class VariableError(GrokscopeError):
    """A variable that is not there, or is not what is asked of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Where the values of a variable lie, so that a model sees them centred and of unit spread.

    Attributes:
        name: Of the column.
        is_log: Whether logarithms are meant: positive, and spanning a decade.
        low, high: The smallest and the largest value.
        middle, spread: Mean and standard deviation of the values, after the logarithm.
    """

    name: str
    is_log: bool
    low: float
    high: float
    middle: float
    spread: float

    def scaled(self, values: FloatArray) -> FloatArray:
        """Return values as the model sees them."""
        return ((np.log(values) if self.is_log else values) - self.middle) / self.spread

    def unscaled(self, scaled: FloatArray) -> FloatArray:
        """Return values from what the model sees; NaN where they are beyond what a number holds.

        >>> axis = axis_of(np.array([0.1, 1.0, 10.0]), "lr")
        >>> axis.unscaled(axis.scaled(np.array([0.5]))).round(6)
        array([0.5])
        """
        values = self.middle + self.spread * scaled
        if not self.is_log:
            return values
        # The log of a number that is too small or too large tells that nothing bounds it.
        is_bounded = np.abs(values) < _LARGEST
        return np.where(is_bounded, np.exp(np.where(is_bounded, values, 0.0)), np.nan)

    def spaced(self, count: int) -> FloatArray:
        """Return so many values from the smallest to the largest, evenly on the axis."""
        return (np.geomspace if self.is_log else np.linspace)(self.low, self.high, count)


def axis_of(values: FloatArray, name: str) -> Axis:
    """Return the axis of some values.

    Raises:
        VariableError: If they are all the same, or one is not finite.
    """
    if not len(values) or not np.all(np.isfinite(values)):
        raise VariableError(f"{name} has values that are not finite; leave those runs out")
    low, high = float(np.min(values)), float(np.max(values))
    if low == high:
        raise VariableError(f"{name} is {low:g} in all runs that count here; vary it to see what it does")
    is_log = low > 0 and high / low >= DECADE
    on_axis = np.log(values) if is_log else values
    spread = float(np.std(on_axis))
    return Axis(
        name=name, is_log=is_log, low=low, high=high, middle=math.fsum(on_axis) / len(on_axis), spread=spread
    )


def numbers(runs: pl.DataFrame, name: str) -> FloatArray:
    """Return a column of a frame as numbers; text that reads as numbers counts as such, null is NaN.

    Raises:
        VariableError: If there is no such column, or it holds other text.

    >>> numbers(pl.DataFrame({"lr": ["0.1", "1e-3"]}), "lr")
    array([0.1  , 0.001])
    """
    if name not in runs.columns:
        raise VariableError(f"no column {name!r} in these runs; they have {', '.join(runs.columns)}")
    column = runs[name]
    read = column.cast(pl.Float64, strict=False)
    if column.dtype == pl.String() and read.null_count() > column.null_count():
        odd = column.filter(read.is_null() & column.is_not_null())[0]
        raise VariableError(f"{name} is not a number in all runs, got {odd!r}; give a variable of numbers")
    return read.fill_null(float("nan")).to_numpy()

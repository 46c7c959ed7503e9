"""Plain numbers of runs as arrays, with what they must be."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.schemas import GrokscopeError

FloatArray = NDArray[np.float64]
Values = Sequence[float] | FloatArray | pl.Series
"""One number a run."""


class SampleError(GrokscopeError):
    """Numbers of runs that a comparison cannot be made of."""


def finite(values: Values, name: str = "values", *, least: int = 1) -> FloatArray:
    """Return the values as an array, all of them finite.

    Args:
        values: One number a run.
        name: What they are called in the error.
        least: How many are needed.

    Raises:
        SampleError: If there are fewer, or one is null, NaN or infinite.

    >>> finite([1, 2])
    array([1., 2.])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < least:
        raise SampleError(
            f"{name} must be one number a run, of at least {least} runs; got the shape {array.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise SampleError(
            f"{name} must be finite, got {array[bad[0]]} at place {bad[0]}; "
            f"leave runs that diverged out and say how many they are"
        )
    return array

"""What a run may log as arrays is what its files are read for."""

import math
import random
from array import array

import pytest

from grokscope.schemas.arrays import (
    MOST_FILE_ARRAYS,
    MOST_FILE_BYTES,
    MOST_LABELS,
    MOST_RUN_BYTES,
    MOST_RUN_FILE_BYTES,
    MOST_VALUES,
    Axis,
    LoggedArray,
    array_file,
)
from grokscope.store.arrays.reading import MOST_FILES


def noise(step: int, length: int, *, kind: str = "f", labels: int = 0) -> LoggedArray:
    rng = random.Random(step)
    return LoggedArray(
        name=f"{rng.getrandbits(32):x}",
        step=rng.getrandbits(62),
        time_ms=rng.getrandbits(60),
        precision="float32" if kind == "f" else "float64",
        shape=(length,),
        axes=(Axis(name="k", labels=tuple(f"{rng.getrandbits(32):x}" for _ in range(labels))),),
        data=array(kind, (rng.gauss() for _ in range(length))).tobytes(),
    )


@pytest.mark.parametrize(
    "arrays",
    [
        [noise(step, MOST_VALUES) for step in range(2)],
        [noise(step, MOST_VALUES, kind="d") for step in range(2)],
        [noise(step, MOST_LABELS, labels=MOST_LABELS) for step in range(20)],
        [noise(step, 12) for step in range(4000)],
        [noise(step, 1) for step in range(4000)],
    ],
    ids=["float32", "float64", "labels", "small", "single values"],
)
def test_all_arrays_that_a_run_may_log_are_read_even_if_they_are_noise(arrays):
    share = len(array_file(arrays)) / sum(one.size for one in arrays)
    assert share * MOST_RUN_BYTES <= MOST_RUN_FILE_BYTES
    assert share * (MOST_FILE_BYTES // 8 + max(one.size for one in arrays)) <= MOST_FILE_BYTES


def test_no_run_has_more_files_than_are_read():
    smallest = noise(0, 1).size
    assert math.ceil(MOST_RUN_BYTES / smallest / MOST_FILE_ARRAYS) <= MOST_FILES

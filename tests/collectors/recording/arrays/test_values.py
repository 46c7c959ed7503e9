"""Whatever a user has as an array is read as numbers, or it is said in one sentence what it is."""

import fractions
import math
import tracemalloc

import numpy as np
import pytest
import torch

from grokscope.collectors.recording.arrays.values import numbers
from grokscope.schemas.arrays import MOST_VALUES

NAN = math.nan


class Lying:
    """Says that it has another shape than it gives."""

    shape = (2**40,)

    def __array__(self, dtype=None, copy=None):
        return np.zeros(3)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1.0, None], np.float64, [1.0, NAN]),
        (np.array([1.5, None], dtype=object), np.float64, [1.5, NAN]),
        ([fractions.Fraction(1, 2), 2**70], np.float64, [0.5, 2.0**70]),
        (np.ma.array([1.0, 2.0], mask=[False, True], dtype=np.float32), np.float32, [1.0, NAN]),
        (np.ma.array([1, 2], mask=[True, False]), np.float64, [NAN, 2.0]),
        (np.array([1.0, 2.0], dtype=">f4"), np.float32, [1.0, 2.0]),
        (np.array([[1], [2]], dtype=">i2"), np.float64, [[1.0], [2.0]]),
        (np.arange(3.0)[::-1], np.float64, [2.0, 1.0, 0.0]),
        (np.array([2**64 - 1], dtype=np.uint64), np.float64, [2.0**64]),
        (np.array([0.1], dtype=np.longdouble), np.float64, [0.1]),
        ([NAN, math.inf, -math.inf], np.float64, [NAN, math.inf, -math.inf]),
        (Lying(), np.float64, [0.0, 0.0, 0.0]),
        (range(2), np.float64, [0.0, 1.0]),
        (torch.tensor([1.0, 448.0]).to(torch.float8_e4m3fn), np.float32, [1.0, 448.0]),
        (torch.tensor([True, False]), np.float64, [1.0, 0.0]),
        (torch.eye(2).to_sparse(), np.float32, [[1.0, 0.0], [0.0, 1.0]]),
        (torch.ones(1).expand(3), np.float32, [1.0, 1.0, 1.0]),
        (torch.ones(2, dtype=torch.complex64).conj().imag, np.float32, [0.0, 0.0]),
        ([torch.ones((), requires_grad=True) * 2, torch.tensor(3.0)], np.float32, [2.0, 3.0]),
        ([torch.ones(2), [3.0, 4]], np.float32, [[1.0, 1.0], [3.0, 4.0]]),
        ([[torch.tensor(1.0), 2.0]], np.float32, [[1.0, 2.0]]),
        (
            (torch.ones(1, dtype=torch.bfloat16), torch.ones(1, dtype=torch.float64)),
            np.float64,
            [[1.0], [1.0]],
        ),
    ],
)
def test_values_of_any_kind_are_read_as_numbers(values, dtype, expected):
    read = numbers("a", values)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.zeros(2, dtype=complex), "'a' is complex; log its absolute values"),
        (torch.empty(2, device="meta"), "'a' is on the device 'meta'"),
        (
            torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged),
            "log a dense tensor",
        ),
        (torch.nn.parameter.UninitializedParameter(), "log a dense tensor"),
        ([torch.ones(2), torch.ones(3)], "stack expects each tensor to be equal size"),
        ([[1.0], [1.0, 2.0]], "lists of one length"),
        ([10**400], "int too large to convert to float"),
        (np.array([np.longdouble("1e4000")]), "overflow encountered"),
        (["a", None], "'a' is no array of numbers (could not convert string to float"),
        (None, "'a' must hold numbers, got NoneType"),
        (torch.nn.Linear(1, 1), "'a' must hold numbers, got Linear"),
        ((value for value in (1.0,)), "'a' must hold numbers, got generator"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "values of datetime64[D]"),
        (np.zeros(2, dtype=[("x", "f4")]), "must hold numbers"),
        (torch.zeros(0, 3), "'a' has no values (its shape is [0, 3])"),
        (torch.tensor(1.0), "'a' is one number"),
    ],
)
def test_what_is_no_array_of_numbers_is_said_with_what_would_help(values, sentence):
    with pytest.raises(ValueError, match=r"^'a' ") as raised:
        numbers("a", values)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    "values",
    [
        torch.ones(1).expand(10**12),
        np.broadcast_to(np.float64(1), (10**7, 10**5)),
        [0.0] * (MOST_VALUES + 1),
        [[0.0] * 257] * 256,
        torch.sparse_coo_tensor(
            torch.zeros(1, 1, dtype=torch.long), torch.ones(1), (10**12,), check_invariants=True
        ),
    ],
    ids=["expanded", "broadcast", "list", "lists", "sparse"],
)
def test_what_is_too_large_is_refused_before_it_takes_memory(values):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="and may have 65,536"):
            numbers("a", values)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()

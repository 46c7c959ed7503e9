"""The angle of three sides, in tensors for accelerators and in numbers for the host."""

import math

import pytest
import torch

from grokscope.collectors.measures.weights import movement

SIDES = [
    *torch.rand(200, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64).tolist(),
    [3.0, 4.0, 5.0], [1.0, 1.0, 0.0], [1.0, 1.0, 2.0], [1.0, 1.0, 1e-7], [1e-7, 1.0, 1.0],
    [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [math.nan, 1.0, 1.0], [1.0, 1.0, math.nan], [math.inf, 1.0, math.inf],
]  # fmt: skip


@pytest.mark.parametrize("sides", SIDES, ids=str)
def test_the_angle_is_the_same_in_tensors_and_in_numbers(sides):
    found = movement._angle(*(torch.tensor(side, dtype=torch.float64) for side in sides)).item()
    assert movement._angle_on_host(*sides) == pytest.approx(found, rel=1e-12, abs=1e-12, nan_ok=True)

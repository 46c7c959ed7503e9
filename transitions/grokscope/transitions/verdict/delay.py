"""The delay from memorization to generalization, in steps and on every axis that the run logged."""

from collections.abc import Mapping

import numpy as np

from grokscope.schemas import Date, Delay
from grokscope.transitions.curves.series import Curve


def delay_between(
    memorized: Date | None, midpoint: Date | None, *, curves: Mapping[str, Curve]
) -> Delay | None:
    """Return the delay from ``memorized`` to ``midpoint``; ``None`` unless both are dated, in that order.

    Tokens, FLOPs and seconds are read off ``progress/*``, linearly between logged steps.

    >>> date = lambda step: Date(step=step, low=step, high=step)
    >>> delay_between(date(100), date(975), curves={})
    Delay(steps=875, ratio=9.75, tokens=None, flops=None, seconds=None)
    """
    if memorized is None or midpoint is None or midpoint.step < memorized.step:
        return None
    start, end = memorized.step, midpoint.step
    return Delay(
        steps=end - start,
        ratio=end / start if start > 0 else None,
        tokens=_difference(curves.get("progress/tokens"), start, end),
        flops=_difference(curves.get("progress/flops"), start, end),
        seconds=_difference(curves.get("progress/seconds"), start, end),
    )


def _difference(axis: Curve | None, start: int, end: int) -> float | None:
    if (
        axis is None
        or len(axis) == 0
        or not axis.steps[0] <= min(start, end) <= max(start, end) <= axis.steps[-1]
    ):
        return None
    at = np.interp([start, end], axis.steps, axis.values)
    return float(at[1] - at[0])

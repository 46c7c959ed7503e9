"""Shapes of curves without noise: changes from 0 to 1, and the steps where they pass a share."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Form = Literal["logistic", "gompertz", "ramp"]

_EARLIEST = 1e-6
_RAMP = 4.4
"""Length of a ramp in widths: its steps at 10 % and 90 % then lie as far apart as those of a logistic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """A change from 0 to 1 around a step.

    Attributes:
        middle: Step at which the logistic and the ramp are half done.
        width: Scale of the change: in natural logarithms of the step, or in steps if ``is_linear``.
        form: Logistic, Gompertz (sudden start, long end), or a straight ramp with two corners.
        is_linear: Whether the form is one in steps instead of in their logarithm.
    """

    middle: float
    width: float
    form: Form = "logistic"
    is_linear: bool = False

    def at(self, steps: NDArray[np.int64] | Floats) -> Floats:
        """Return the share that is done at each of ``steps``.

        >>> Rise(middle=100.0, width=0.2).at(np.array([0, 100])).round(3).tolist()
        [0.0, 0.5]
        """
        times = np.asarray(steps, dtype=np.float64)
        if self.is_linear:
            z = (times - self.middle) / self.width
        else:
            z = (np.log(np.maximum(times, _EARLIEST)) - math.log(self.middle)) / self.width
        if self.form == "ramp":
            return np.clip(0.5 + z / _RAMP, 0.0, 1.0)
        if self.form == "gompertz":
            return np.exp(-np.exp(np.minimum(-z, 100.0)))
        return 0.5 * (1.0 + np.tanh(z / 2.0))

    def when(self, share: float) -> float:
        """Return the step at which ``share`` of the change is done.

        Args:
            share: Between 0 and 1, both excluded.

        >>> rise = Rise(middle=100.0, width=0.2, form="gompertz")
        >>> round(float(rise.at(np.array([rise.when(0.1)]))[0]), 6)
        0.1
        """
        if self.form == "ramp":
            z = _RAMP * (share - 0.5)
        elif self.form == "gompertz":
            z = -math.log(-math.log(share))
        else:
            z = math.log(share / (1.0 - share))
        return self.middle + self.width * z if self.is_linear else self.middle * math.exp(self.width * z)


def learning(steps: NDArray[np.int64] | Floats, scale: float, power: float = 1.0) -> Floats:
    """Return ordinary learning, ``1 - (1 + step / scale) ** -power``: fast at first, slower and slower.

    >>> learning(np.array([0, 10]), 10.0).tolist()
    [0.0, 0.5]
    """
    return 1.0 - (1.0 + np.asarray(steps, dtype=np.float64) / scale) ** -power


def settling(steps: NDArray[np.int64] | Floats, scale: float, power: float = 1.0) -> Floats:
    """Return learning that comes to its end, ``1 - exp(-(step / scale) ** power)``.

    >>> settling(np.array([0, 100]), 10.0).round(3).tolist()
    [0.0, 1.0]
    """
    return 1.0 - np.exp(-((np.asarray(steps, dtype=np.float64) / scale) ** power))


def hollow(steps: NDArray[np.int64] | Floats, start: float, end: float) -> Floats:
    """Return a smooth hump between ``start`` and ``end``, 1 at most and 0 outside: what a dip takes away.

    >>> hollow(np.array([5, 15, 25]), 10.0, 20.0).tolist()
    [0.0, 1.0, 0.0]
    """
    place = (np.asarray(steps, dtype=np.float64) - start) / (end - start)
    inside = (place > 0.0) & (place < 1.0)
    return np.where(inside, np.minimum(1.0, 1.6 * np.sin(np.pi * np.clip(place, 0.0, 1.0))), 0.0)

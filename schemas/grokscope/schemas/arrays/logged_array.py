"""One array of a run at a step, and how large arrays may be."""

import math
import sys
from array import array
from dataclasses import dataclass
from typing import Literal

MOST_VALUES = 65_536
"""Values of one array: a 256 × 256 matrix."""

MOST_AXES = 4
MOST_LABELS = 1_024
"""Labels of one axis; a longer axis has none."""

LABEL_LENGTH = 100
"""Characters of a label, or of an axis' name; what is longer is cut."""

MOST_STEP_BYTES = 4 << 20
"""All arrays of one step."""

MOST_RUN_BYTES = 256 << 20
"""All arrays that one process logs of a run."""

# Without it a run could have more tiny arrays than anybody reads.
_EACH = 64

Precision = Literal["float32", "float64"]
_TYPES: dict[str, str] = {"float32": "f", "float64": "d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of an array.

    Attributes:
        name: What it counts: ``layer``, ``frequency``, ``component``.
        labels: A name for each place on it, or nothing where the places are only numbered.
    """

    name: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedArray:
    """One array of a run at a step.

    Attributes:
        name: Its name, as a metric's.
        step: Optimizer step.
        time_ms: When it was logged, Unix time in ms.
        precision: The type of its values.
        shape: Its lengths, one an axis.
        axes: Its axes, the first one slowest.
        data: Its values in the order of C, little endian.

    >>> spectrum = LoggedArray(
    ...     name="weights/spectrum",
    ...     step=3,
    ...     time_ms=1000,
    ...     precision="float32",
    ...     shape=(1, 2),
    ...     axes=(Axis(name="layer", labels=("embed",)), Axis(name="k")),
    ...     data=array("f", [2.0, 0.5]).tobytes(),
    ... )
    >>> spectrum.why_bad, spectrum.values()
    ('', [2.0, 0.5])
    """

    name: str
    step: int
    time_ms: int
    precision: Precision
    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    data: bytes

    @property
    def size(self) -> int:
        """How much it is to keep: bytes of values, characters of names and labels, and 64 for all else."""
        return _EACH + len(self.data) + len(self.name) + sum(map(_length, self.axes))

    @property
    def why_bad(self) -> str:
        """Why it is no array that anybody takes; empty if it is one."""
        if not 1 <= len(self.shape) <= MOST_AXES or len(self.axes) != len(self.shape):
            return f"it has {len(self.shape)} lengths and {len(self.axes)} axes; each may have {MOST_AXES}"
        count = math.prod(self.shape)  # of so few: that of a million takes minutes
        if min(self.shape) < 1 or count > MOST_VALUES:
            return f"its shape is {list(self.shape)}, and it may have 1 to {MOST_VALUES} values"
        if len(self.data) != count * array(_TYPES[self.precision]).itemsize:
            return f"it has {len(self.data)} bytes for {count} values of {self.precision}"
        for axis, length in zip(self.axes, self.shape, strict=True):
            if axis.labels and len(axis.labels) != length:
                return f"axis {axis.name!r} has {len(axis.labels)} labels and {length} places"
        return ""

    def values(self) -> list[float]:
        """Return its values in the order of C."""
        found: array[float] = array(_TYPES[self.precision], self.data)
        if sys.byteorder == "big":
            found.byteswap()
        return found.tolist()


def _length(axis: Axis) -> int:
    return len(axis.name) + sum(map(len, axis.labels))

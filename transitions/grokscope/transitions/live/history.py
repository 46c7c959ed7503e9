"""What a live detector remembers: the curves that the engine reads, in bounded memory."""

from array import array
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from grokscope.schemas import POINT_SCHEMA, canonical, score_of
from grokscope.schemas.metrics.table import SPLITS
from grokscope.transitions.curves.series import Floats, Integers, log_steps

CAPACITY = 2048
"""Evaluations of a curve that are kept before the first thinning."""
RECENT = 64
"""Latest evaluations that thinning spares: what is going on now is read at full resolution."""
MOST_CURVES, MOST_OTHERS, MOST_NAMES = 64, 48, 4096
"""Curves kept, those of tasks and shifted sets among them, and names looked at; a run's first ones."""
EPOCHS = "progress/epochs"
"""Tells the engine where epochs turn; read along, and no evaluation by itself."""


def is_read(name: str) -> bool:
    """Return whether the engine reads the metric of this canonical name.

    >>> [is_read(name) for name in ("test/accuracy", "lambada/acc", "weights/norm")]
    [True, True, False]
    """
    return name == EPOCHS or score_of(name) is not None


class KeptCurve:
    """The evaluations of one metric; when ``CAPACITY`` is reached, half of them go.

    Those stay that lie closest to a grid of even log steps, and the latest ``RECENT``: a date read off a
    thinned curve is as good as its grid, some hundred points a decade, and says so in its interval.

    >>> curve = KeptCurve()
    >>> for step in range(10_000):
    ...     curve.append(step, 0.5)
    >>> len(curve.steps) <= CAPACITY, curve.steps[-1], curve.is_whole
    (True, 9999, False)
    """

    __slots__ = ("is_whole", "steps", "values")

    def __init__(self) -> None:
        self.steps = array("q")
        self.values = array("d")
        self.is_whole = True

    def append(self, step: int, value: float) -> None:
        """Take one value, finite or not, at a step larger than all before."""
        if len(self.steps) >= CAPACITY:
            self._thin()
        self.steps.append(step)
        self.values.append(value)

    def _thin(self) -> None:
        steps: Integers = np.array(self.steps, dtype=np.int64)
        values: Floats = np.array(self.values, dtype=np.float64)
        axis = log_steps(steps)
        grid: Floats = np.linspace(float(axis[0]), float(axis[-RECENT]), CAPACITY // 2 - RECENT)
        kept = np.unique(np.append(np.searchsorted(axis, grid), np.arange(CAPACITY - RECENT, CAPACITY)))
        self.steps, self.values = array("q", steps[kept].tolist()), array("d", values[kept].tolist())
        self.is_whole = False


class History:
    """The curves of one run, under the names that they were logged by.

    At most ``MOST_CURVES`` curves of ``CAPACITY`` evaluations, 16 bytes each: 2 MiB, however long the run.

    >>> history = History()
    >>> history.append(0, {"val_acc": 0.5, "weights/norm": 9.0})
    {'val/accuracy': 0.5}
    >>> history.frame("a").rows()
    [('a', 'val_acc', 0, None, 0.5)]
    """

    def __init__(self) -> None:
        self._curves: dict[str, tuple[str, KeptCurve]] = {}
        self._names = set[str]()
        self._is_full = False

    @property
    def is_whole(self) -> bool:
        """Nothing that the engine reads has been left out or thinned out."""
        return not self._is_full and all(curve.is_whole for _, curve in self._curves.values())

    def append(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        """Keep one evaluation; return which losses and scores were kept, by canonical name."""
        if not values.keys() <= self._names:
            self._admit(values)
        known = dict[str, float]()
        for key, (name, curve) in self._curves.items():
            if key in values:
                curve.append(step, values[key])
                if name != EPOCHS:
                    known[name] = values[key]
        return known

    def frame(self, run_id: str) -> pl.DataFrame:
        """Return what is kept as points of ``run_id``."""
        steps, values = array("q"), array("d")
        for _, curve in self._curves.values():
            steps.extend(curve.steps)
            values.extend(curve.values)
        metrics = [key for key, (_, curve) in self._curves.items() for _ in curve.steps]
        columns = {"run_id": [run_id] * len(steps), "metric": metrics, "step": steps, "time_ms": None}
        return pl.DataFrame({**columns, "value": values}, schema=POINT_SCHEMA)

    def _admit(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key in self._names or len(self._names) >= MOST_NAMES:
                continue
            self._names.add(key)
            name = canonical(key) or key
            most = MOST_CURVES if name.partition("/")[0] in SPLITS else MOST_OTHERS
            if is_read(name) and len(self._curves) >= most:
                self._is_full = True
            elif is_read(name):
                self._curves[key] = (name, KeptCurve())

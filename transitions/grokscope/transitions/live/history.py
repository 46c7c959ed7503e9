"""What a live detector remembers: the curves that the engine reads, in bounded memory."""

from array import array
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from grokscope.schemas import POINT_SCHEMA, canonical, score_of
from grokscope.schemas.metrics.aliases import readings
from grokscope.schemas.metrics.table import SPLITS
from grokscope.transitions.curves.series import Curve, Floats, Integers, log_steps

CAPACITY = 2048
"""Evaluations of a curve that are kept before it is thinned."""
ROOM = 64 * CAPACITY
"""Evaluations that are kept of all curves together; the longest are thinned to make room."""
RECENT = 64
"""Latest evaluations that thinning spares: what is going on now is read at full resolution."""
MOST_CURVES, MOST_OTHERS, MOST_NAMES = 512, 448, 4096
"""Curves kept, those of tasks and shifted sets among them, and names looked at; a run's first ones. As many
as there is room for, each thinned to ``4 * RECENT``."""
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
    ...     is_new = curve.append(step, 0.5)
    >>> len(curve.steps) <= CAPACITY, curve.steps[-1], curve.is_whole
    (True, 9999, False)
    """

    __slots__ = ("is_whole", "steps", "values")

    def __init__(self) -> None:
        self.steps = array("q")
        self.values = array("d")
        self.is_whole = True

    def append(self, step: int, value: float) -> bool:
        """Take one value, finite or not, at the last step or a later one; return whether the step is new.

        At the last step again it takes the place of the value there, as the latest value of a step does
        for ``detect``.
        """
        if len(self.steps) and self.steps[-1] == step:
            self.values[-1] = value
            return False
        if len(self.steps) >= CAPACITY:
            self.thin()
        self.steps.append(step)
        self.values.append(value)
        return True

    def thin(self) -> None:
        """Leave out half of the evaluations."""
        steps: Integers = np.array(self.steps, dtype=np.int64)
        values: Floats = np.array(self.values, dtype=np.float64)
        axis, count = log_steps(steps), len(steps)
        grid: Floats = np.linspace(float(axis[0]), float(axis[-RECENT]), count // 2 - RECENT)
        kept = np.unique(np.append(np.searchsorted(axis, grid), np.arange(count - RECENT, count)))
        self.steps, self.values = array("q", steps[kept].tolist()), array("d", values[kept].tolist())
        self.is_whole = False

    def finite(self) -> Curve:
        """Return the finite values."""
        values: Floats = np.array(self.values, dtype=np.float64)
        steps: Integers = np.array(self.steps, dtype=np.int64)
        held = np.isfinite(values)
        return Curve(metric="", steps=steps[held], values=values[held])


class History:
    """The curves of one run, under the names that they were logged by.

    At most ``MOST_CURVES`` curves and ``ROOM`` evaluations, 16 bytes each: 2 MiB, however long the run.

    >>> history = History()
    >>> history.append(0, {"val_acc": 0.5, "weights/norm": 9.0})
    {'val/accuracy': 0.5}
    >>> history.frame("a").rows()
    [('a', 'val_acc', 0, None, 0.5)]
    """

    def __init__(self) -> None:
        self.left_out = 0
        """Curves that the engine would read and that are not kept."""
        self._curves: dict[str, tuple[str, KeptCurve]] = {}
        self._names = set[str]()
        self._beside: tuple[str, ...] | None = ()
        self._room = ROOM
        self._has_missed = False

    @property
    def is_whole(self) -> bool:
        """Nothing that the engine reads has been left out or thinned out."""
        is_all_kept = not self.left_out and not self._has_missed
        return is_all_kept and all(curve.is_whole for _, curve in self._curves.values())

    def append(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        """Keep one evaluation, or one more part of the last; return what is new of it.

        Returns:
            The losses and scores that were kept and had no value at this step, by canonical name.
        """
        if not values.keys() <= self._names:
            self._admit(values)
        known = dict[str, float]()
        for key, (name, curve) in self._curves.items():
            if key in values and curve.append(step, values[key]):
                self._room -= 1
                if name != EPOCHS:
                    known[name] = values[key]
        if self._room < 0:
            self._make_room()
        return known

    def pass_over(self, values: Mapping[str, float]) -> None:
        """Take note that an evaluation is not kept."""
        self._has_missed |= any(is_read(canonical(key) or key) for key in values)

    def curves(self) -> dict[str, Curve]:
        """Return the finite values of what is kept, by canonical name."""
        return {name: curve.finite() for name, curve in self._curves.values()}

    def frame(self, run_id: str) -> pl.DataFrame:
        """Return what is kept as points of ``run_id``.

        A name that tells how another is read has one point too, without a value.
        """
        steps, values = array("q"), array("d")
        for _, curve in self._curves.values():
            steps.extend(curve.steps)
            values.extend(curve.values)
        metrics = [key for key, (_, curve) in self._curves.items() for _ in curve.steps]
        beside = self._names_beside() if len(steps) else ()
        steps.extend(steps[-1:] * len(beside))
        values.extend([float("nan")] * len(beside))
        columns = {"run_id": [run_id] * len(steps), "metric": [*metrics, *beside], "step": steps}
        return pl.DataFrame({**columns, "time_ms": None, "value": values}, schema=POINT_SCHEMA)

    def _names_beside(self) -> tuple[str, ...]:
        """Return the names of what is not kept, if those that are kept read differently without them."""
        if self._beside is None:
            others = tuple(sorted(name for name in self._names if not is_read(canonical(name) or name)))
            alone, together = readings(self._curves), readings([*self._curves, *others])
            self._beside = others if any(alone[name] != together[name] for name in alone) else ()
        return self._beside

    def _make_room(self) -> None:
        curves = [curve for _, curve in self._curves.values()]
        while (held := sum(len(curve.steps) for curve in curves)) > ROOM:
            longest = max(len(curve.steps) for curve in curves)
            for curve in curves:
                if len(curve.steps) == longest:
                    curve.thin()
        self._room = ROOM - held

    def _admit(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key in self._names or len(self._names) >= MOST_NAMES:
                continue
            self._names.add(key)
            self._beside = None
            name = canonical(key) or key
            most = MOST_CURVES if name.partition("/")[0] in SPLITS else MOST_OTHERS
            if is_read(name) and len(self._curves) >= most:
                self.left_out += 1
            elif is_read(name):
                self._curves[key] = (name, KeptCurve())

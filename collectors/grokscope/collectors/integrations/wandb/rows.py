"""Rows of W&B's history: which values make one, and at which step each of them stands."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

from grokscope.collectors.warning import warn


class Rows:
    """Gathers values into rows as ``wandb.log`` does, and writes each row when it is complete.

    A call without a step completes the row and begins the next one, a step further. With ``commit=False``, or
    with a step, values wait for what else comes at that step; a later value of a name takes the place of an
    earlier one. W&B ignores a step that lies behind; here its values are written where they belong.

    >>> rows = Rows(lambda step, values: print(step, values))
    >>> rows.add({"loss": 0.5}, commit=False)
    >>> rows.add({"accuracy": 0.25})
    0 {'loss': 0.5, 'accuracy': 0.25}
    >>> rows.add({"loss": 0.4}, step=7)
    >>> rows.add({"loss": 0.3}, step=8)
    7 {'loss': 0.4}
    >>> rows.complete()
    8 {'loss': 0.3}
    """

    def __init__(self, write: Callable[[int, Mapping[str, Any]], None]) -> None:
        self.step = 0
        self._write = write
        self._waiting: dict[str, Any] = {}

    def add(self, values: Mapping[str, Any], *, step: int | None = None, commit: bool | None = None) -> None:
        """Take values of one call; see ``wandb.log`` for ``step`` and ``commit``."""
        if step is not None and step < self.step:
            self._write(step, values)
            return
        if step is not None and step > self.step:
            self.complete()
            self.step = step
        self._waiting |= values
        if commit or (commit is None and step is None):
            self.complete()
            self.step += 1

    def complete(self) -> None:
        """Write the row that waits, if there is one."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self._write(self.step, waiting)


class StepMetrics:
    """Which metric's value is the step of which others, as ``define_metric`` says.

    >>> steps = StepMetrics()
    >>> steps.define("train/*", "iter")
    >>> steps.placed(3, {"iter": 200, "train/loss": 0.5, "lr": 0.1})
    {200: {'iter': 200, 'train/loss': 0.5}, 3: {'lr': 0.1}}
    """

    def __init__(self) -> None:
        self._axes: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self._refused: set[str] = set()

    def define(self, name: str, step_metric: str) -> None:
        """Count ``name``, which may have a ``*``, in ``step_metric``."""
        self._axes[name] = step_metric

    def placed(self, step: int, values: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        """Return the values of one row by step: that of their own metric, else the row's."""
        for axis in set(self._axes.values()) & values.keys():
            self._read(axis, values[axis])
        found: dict[int, dict[str, Any]] = {}
        for name, value in values.items():
            axis = name if name in self._last else self._axis_of(name)
            found.setdefault(self._last.get(axis or "", step), {})[name] = value
        return found

    def _axis_of(self, name: str) -> str | None:
        if name in self._axes:
            return self._axes[name]
        fitting = [pattern for pattern in self._axes if "*" in pattern and fnmatchcase(name, pattern)]
        return self._axes[max(fitting, key=len)] if fitting else None

    def _read(self, axis: str, value: Any) -> None:
        with suppress(TypeError, ValueError, RuntimeError):  # the tracker says what is no number
            self._take(axis, float(value))

    def _take(self, axis: str, number: float) -> None:
        if axis in self._refused:
            return
        if number.is_integer():
            self._last[axis] = int(number)
            return
        self._refused.add(axis)
        self._last.pop(axis, None)
        warn(
            f"steps are whole numbers, and {axis!r}, the step of other metrics, is {number:g}; from here on "
            "they stand at the step of wandb.log. Define a step_metric that counts steps."
        )

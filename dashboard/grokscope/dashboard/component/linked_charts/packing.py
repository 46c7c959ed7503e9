"""Curves on their way to the browser: their numbers as they lie in memory, all else as JSON before them.

As JSON, the numbers of a few hundred curves took longer to be written, hashed and read than to be drawn.
"""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from grokscope.dashboard.charts.linked import Line, LinkedChart

_NUMBERS = ("x", "y", "low", "high", "count", "steps")
_LOOKS = tuple(field.name for field in fields(Line) if field.name not in _NUMBERS)
_OF_CHART = tuple(field.name for field in fields(LinkedChart) if field.name not in ("lines", "spec"))
_WORD = 8


class Packing:
    """Numbers of curves, one after the other; those that many curves share, as their steps, stand there once.

    >>> packing = Packing()
    >>> packing.place([1, 2, 3]), packing.place([4.5, None]), packing.place([1.0, 2.0, 3.0])
    ([0, 3], [3, 2], [0, 3])
    >>> len(packing.packed({"title": "accuracy"})) % 8
    0
    """

    def __init__(self) -> None:
        self._there: dict[bytes, list[int]] = {}
        self._numbers: list[npt.NDArray[np.float64]] = []
        self._size = 0

    def place(self, values: Sequence[float | None]) -> list[int]:
        """Return where numbers begin and how many they are; ``None`` is NaN there."""
        numbers = np.asarray(values, dtype="<f8")
        seen = self._there.setdefault(numbers.tobytes(), [self._size, numbers.size])
        if seen[0] == self._size:
            self._numbers.append(numbers)
            self._size += numbers.size
        return seen

    def chart(self, chart: LinkedChart) -> dict[str, Any]:
        """Return what JSON holds of a chart but for its spec."""
        return {name: getattr(chart, name) for name in _OF_CHART} | {"lines": [*map(self.line, chart.lines)]}

    def line(self, line: Line) -> dict[str, Any]:
        """Return what JSON holds of a curve: its looks, and under ``at`` where its numbers are."""
        numbers = {name: values for name in _NUMBERS if (values := getattr(line, name)) is not None}
        return {name: getattr(line, name) for name in _LOOKS} | {
            "at": {name: self.place(values) for name, values in numbers.items()}
        }

    def packed(self, head: dict[str, Any]) -> bytes:
        """Return the length of the JSON (8 bytes), the JSON, its end at a multiple of 8, and the numbers."""
        text = json.dumps(head, separators=(",", ":")).encode()
        text += b" " * (-len(text) % _WORD)
        numbers = np.concatenate(self._numbers) if self._numbers else np.empty(0)
        return len(text).to_bytes(_WORD, "little") + text + numbers.astype("<f8").tobytes()


def unpacked(data: bytes) -> dict[str, Any]:
    """Return what the browser reads of ``Packing.packed``, each curve with its numbers in place of ``at``.

    >>> line = Line(key="a", name="a", group="a", color="red", x=[1, 2], y=[0.5, None])
    >>> packing = Packing()
    >>> [read] = unpacked(packing.packed({"charts": [{"lines": [packing.line(line)]}]}))["charts"][0]["lines"]
    >>> read["x"], read["y"]
    ([1.0, 2.0], [0.5, None])
    """
    begin = _WORD + int.from_bytes(data[:_WORD], "little")
    head: dict[str, Any] = json.loads(data[_WORD:begin])
    numbers = np.frombuffer(data, dtype="<f8", offset=begin)
    for line in (line for chart in head["charts"] for line in chart["lines"]):
        for name, (first, size) in line.pop("at").items():
            values = numbers[first : first + size].tolist()
            line[name] = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
    return head

"""Live scores as shares: in the units that the engine reads off the same curves."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from grokscope.schemas import Scale, score_of
from grokscope.transitions.curves.units import Unit, units_of
from grokscope.transitions.live.history import History

_TOPS: Mapping[Unit, float] = MappingProxyType({Unit.SHARE: 1.0, Unit.PER_CENT: 100.0, Unit.COUNT: np.inf})


class Shares:
    """Remembers the units of a run's scores, and asks again when a value lies beyond the top of its unit.

    At the first such value, the second, the fourth and so on: next to nothing, however many there are.

    >>> history, shares = History(), Shares()
    >>> for step, value in enumerate((40.0, 80.0)):
    ...     known = history.append(step, {"val_acc": value})
    ...     print(shares.read(known, history))
    ({'val/accuracy': 0.4}, True)
    ({'val/accuracy': 0.8}, False)
    """

    def __init__(self) -> None:
        self._units: dict[str, Unit] = {}
        self._tops: dict[str, float] = {}
        self._beyond = 0

    def read(self, values: Mapping[str, float], history: History) -> tuple[Mapping[str, float], bool]:
        """Return ``values`` as shares, without counts, and whether a unit has turned out to be another.

        Args:
            values: Canonical key -> value, of one evaluation.
            history: All that was logged so far, this evaluation too.
        """
        is_other = False
        if any(value > self._top_of(name) for name, value in values.items()):
            self._beyond += 1
            is_other = self._beyond.bit_count() == 1 and self.ask(history)
        if not self._units:
            return values, is_other
        units = {name: self._units.get(name, Unit.SHARE) for name in values}
        shares = {
            name: value / 100 if units[name] is Unit.PER_CENT else value
            for name, value in values.items()
            if units[name] is not Unit.COUNT
        }
        return shares, is_other

    def ask(self, history: History) -> bool:
        """Read the units off what is kept; return whether one is another than it was taken to be."""
        found = units_of(history.curves())
        other = {name: unit for name, unit in found.items() if unit is not Unit.SHARE}
        if other == self._units:
            return False
        self._units = other
        self._tops.clear()
        return True

    def _top_of(self, name: str) -> float:
        if name not in self._tops:
            score = score_of(name)
            is_share = score is not None and score.scale is Scale.SHARE and score.higher_is_better
            self._tops[name] = _TOPS[self._units.get(name, Unit.SHARE)] if is_share else np.inf
        return self._tops[name]

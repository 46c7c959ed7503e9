"""Whose turn it is to be read: the costly measures share a part of the run's time fairly."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class _Account:
    """What is known of one measure: its last cost, when that was, and how often it was passed over."""

    cost: float = 0.0
    last: float | None = None
    skipped: int = 0


class Budget:
    """Says which costly measures may run now, so that all together keep to their share of the time.

    A measure may run when its last cost is within its own part of the time since then. The parts are
    max-min fair: one that needs less than an equal part leaves the rest to the others. The first reading of
    each is always allowed, since nobody knows yet what it costs; a costly one is paid off by waiting.

    >>> budget = Budget()
    >>> budget.allowed(["spectra"], share=0.02, now=0.0)
    ['spectra']
    >>> budget.spent({"spectra": 0.5}, now=0.5)
    >>> budget.allowed(["spectra"], share=0.02, now=10.0), budget.allowed(["spectra"], share=0.02, now=26.0)
    ([], ['spectra'])
    >>> budget.skipped("spectra")
    1
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def allowed(self, names: list[str], *, share: float, now: float) -> list[str]:
        """Return those of ``names`` that may run now, and count the others.

        Args:
            names: Who asks.
            share: Of the run's time, for all together.
            now: Seconds on a monotonic clock.
        """
        for name in names:
            self._accounts.setdefault(name, _Account())
        demands = {name: self._demand(self._accounts[name], now) for name in names}
        parts = _fair_parts(demands, share)
        may_run = [name for name in names if demands[name] <= parts[name]]
        for name in set(names) - set(may_run):
            self._accounts[name].skipped += 1
        return may_run

    def spent(self, seconds: Mapping[str, float], now: float) -> None:
        """Note what the readings of a moment have cost, by name."""
        for name, cost in seconds.items():
            account = self._accounts.setdefault(name, _Account())
            account.cost, account.last = cost, now

    def skipped(self, name: str) -> int:
        """Return how many readings of ``name`` were passed over."""
        return self._accounts[name].skipped if name in self._accounts else 0

    @staticmethod
    def _demand(account: _Account, now: float) -> float:
        """Return the share of the time since the last reading that a reading now would take."""
        if account.last is None:
            return 0.0
        return account.cost / max(now - account.last, 1e-9)


def _fair_parts(demands: Mapping[str, float], share: float) -> dict[str, float]:
    """Return each measure's part of ``share``: what it asks for, or an equal part of what is left."""
    parts: dict[str, float] = {}
    for count, name in zip(range(len(demands), 0, -1), sorted(demands, key=demands.__getitem__), strict=True):
        parts[name] = share / count
        share -= min(demands[name], parts[name])
    return parts

"""When is a curve that was read through the API out of date, and what has to be read again?

A listing of runs tells each metric's latest row, so a curve that went on is seen at once. It does not
tell that an *old* step arrived late (a resumed run, a spool that was delivered after an outage): there,
only a full reading helps. It is done

- for a run that ended: when its status, its end or our shipper's heartbeat changed, else every ``ENDED_S``;
- for a run that goes on: every ``RUNNING_S``;
- never more often than ``1 / SHARE`` times what it costs.

What an earlier process read of a run that ended counts as read now, for a day, as long as nothing of its
listing has changed: opening a store of thousands of old runs must not read them all again.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from grokscope.store.remote.records import Latest, RunRecord

RUNNING_S = 30.0
ENDED_S = 300.0
TRUSTED_S = 86_400.0
SHARE = 0.05
"""Share of the time that full readings may take."""

_ONGOING = ("RUNNING", "SCHEDULED")


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What a run was like when it was last read."""

    life: tuple[str, int | None, str | None]
    at_s: float
    cost_s: float
    latest: dict[str, Latest] = field(default_factory=dict[str, Latest])


class RefreshPolicy:
    """What was read of which run, and when. Times are seconds of a monotonic clock.

    Args:
        running_s: Longest time until a late old step of an ongoing run shows.
        ended_s: The same for a run that ended, when nothing else about it changed.
    """

    def __init__(self, *, running_s: float = RUNNING_S, ended_s: float = ENDED_S) -> None:
        self._running_s = running_s
        self._ended_s = ended_s
        self._readings: dict[str, _Reading] = {}

    def must_read_all(self, record: RunRecord, now_s: float) -> bool:
        """Say whether the whole history of the run's curves has to be read."""
        reading = self._readings.get(record.run_id)
        if reading is None:
            return True
        is_ongoing = record.status in _ONGOING
        if not is_ongoing and reading.life != record.sign_of_life:
            return True
        period = max(self._running_s if is_ongoing else self._ended_s, reading.cost_s / SHARE)
        return now_s - reading.at_s >= period

    def advanced(self, record: RunRecord, keys: list[str]) -> list[str]:
        """Return those of ``keys`` whose latest row is not the one that was read."""
        latest = self._readings[record.run_id].latest
        return [key for key in keys if key in latest and latest[key] != record.latest[key]]

    def read_all(self, record: RunRecord, keys: list[str], *, at_s: float, cost_s: float) -> None:
        """Note that the whole history of ``keys`` was read."""
        reading = _Reading(life=record.sign_of_life, at_s=at_s, cost_s=cost_s)
        self._readings[record.run_id] = reading
        self.read_new(record, keys)

    def read_new(self, record: RunRecord, keys: list[str]) -> None:
        """Note that ``keys`` were read up to the latest row of ``record``."""
        self._readings[record.run_id].latest.update({key: record.latest[key] for key in keys})

    def last_step(self, run_id: str, key: str) -> int:
        """Return the step up to which a curve was read."""
        return self._readings[run_id].latest[key][0]

    def as_state(self, *, now_s: float, wall_s: float) -> dict[str, Any]:
        """Return what was noted, as JSON can hold it; ``now_s`` on the monotonic clock is ``wall_s``."""
        noted = {run: asdict(reading) for run, reading in self._readings.items()}
        return {"wall_s": wall_s - now_s, "readings": noted}

    def recall(self, state: Any, *, now_s: float, wall_s: float) -> None:
        """Restore what an earlier process noted; anything else is left alone."""
        try:
            ago_s = wall_s - now_s - float(state["wall_s"])
            readings = cast("Mapping[str, dict[str, Any]]", state["readings"])
            self._readings = {run: _recalled(noted, ago_s, now_s) for run, noted in readings.items()}
        except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError):
            self._readings = {}

    def keep(self, run_ids: Collection[str]) -> None:
        """Drop what was noted of other runs than these: what was read of them is not there any more."""
        self.forget([run_id for run_id in self._readings if run_id not in run_ids])

    def forget(self, run_ids: list[str]) -> None:
        """Drop what was noted of ``run_ids``."""
        for run_id in run_ids:
            self._readings.pop(run_id, None)


def _recalled(noted: dict[str, Any], ago_s: float, now_s: float) -> _Reading:
    status, end_ms, seen = noted["life"]
    life: tuple[str, int | None, str | None] = str(status), end_ms, seen
    latest = {key: (int(step), int(time), str(value)) for key, (step, time, value) in noted["latest"].items()}
    at_s = float(noted["at_s"]) - ago_s
    if life[0] not in _ONGOING and 0 <= now_s - at_s < TRUSTED_S:
        at_s = now_s
    return _Reading(life=life, at_s=at_s, cost_s=float(noted["cost_s"]), latest=latest)

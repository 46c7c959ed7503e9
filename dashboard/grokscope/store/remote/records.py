"""One run as MLflow's API gives it, and the frames made of many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.schemas import LAST_SEEN
from grokscope.store import frames
from grokscope.store.errors import runs_not_found

Latest = tuple[int, int, str]
"""A metric's latest row by MLflow's rule: step, time in ms, value (as text, in which NaN equals itself)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run with everything that one listing tells.

    Attributes:
        latest: Metric -> its latest row; changes whenever a row of a higher step arrives.
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    start_ms: int | None
    end_ms: int | None
    is_active: bool
    params: Mapping[str, str]
    tags: Mapping[str, str]
    latest: Mapping[str, Latest]

    @property
    def sign_of_life(self) -> tuple[str, int | None, str | None]:
        """What changes when the run is resumed, ends, or when our shipper delivers something."""
        return self.status, self.end_ms, self.tags.get(LAST_SEEN)


def runs_frame(records: Iterable[RunRecord], names: Mapping[str, str]) -> pl.DataFrame:
    """Return runs, newest first; ``names`` maps experiment ids to names."""
    return frames.runs_from_rows(
        (
            record.run_id,
            record.name,
            names[record.experiment_id],
            record.status,
            record.start_ms,
            record.end_ms,
            max((time for _, time, _ in record.latest.values()), default=None),
            max((step for step, _, _ in record.latest.values()), default=None),
            record.tags.get(LAST_SEEN),
        )
        for record in records
    )


def by_id(records: Iterable[RunRecord], run_ids: Sequence[str]) -> dict[str, RunRecord]:
    """Return the records of ``run_ids`` by id.

    Raises:
        RunNotFoundError: If one is missing or deleted.
    """
    found = {record.run_id: record for record in records}
    missing = [run_id for run_id in run_ids if run_id not in found]
    deleted = [run_id for run_id in run_ids if run_id in found and not found[run_id].is_active]
    if missing or deleted:
        raise runs_not_found(missing, deleted)
    return {run_id: found[run_id] for run_id in run_ids}

"""Runs that have ended: wait until their points are all in the store, then write the verdicts."""

import time
from collections.abc import Iterator
from contextlib import suppress

from grokscope.cli.automatic_verdicts import VerdictWriter
from grokscope.cli.runs.stored import ids_by_client
from grokscope.collectors.recording.ship import ensure_shipper
from grokscope.collectors.recording.spool import find_spools, read_meta
from grokscope.dashboard.state.connection import Opener
from grokscope.schemas import GrokscopeError, Verdict, home
from grokscope.schemas.secrets import redacted
from grokscope.store import BusyStoreError, open_store

_PATIENCE_SECONDS = 60.0


class LatePointsError(GrokscopeError):
    """Points that do not reach the store."""


class FinishedRuns:
    """Judges each run as soon as its last point has arrived.

    Args:
        uri: MLflow tracking URI.
        experiment: Name of the experiment.
        opener: Opens the store.
        patience_s: How long the points of a run that has ended may be on their way; a minute by default.

    ``names``, ``client_run_ids`` and ``seconds`` tell of each run in the store, by its id there.
    """

    def __init__(
        self, uri: str, experiment: str, *, opener: Opener = open_store, patience_s: float | None = None
    ) -> None:
        self.uri = uri
        self.experiment = experiment
        self._patience_s = _PATIENCE_SECONDS if patience_s is None else patience_s
        self.names: dict[str, str] = {}
        self.client_run_ids: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.waiting: dict[str, float] = {}
        self._writer = VerdictWriter(uri, opener=opener)

    def add(self, client_run_id: str) -> None:
        """Note that a run has ended."""
        self.waiting[client_run_id] = time.monotonic()

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdicts of the runs that have arrived since the last call, written to the store.

        Raises:
            LatePointsError: If a run's points have not arrived within ``patience_s`` of its end.
        """
        if not self.waiting:
            return
        on_the_way = self._on_the_way()
        late = [run for run in self.waiting if run in on_the_way and self._is_late(run)]
        if late:
            shown = redacted(self.uri)
            raise LatePointsError(
                f"the points of {len(late)} finished runs have not reached {shown} within "
                f"{self._patience_s:.0f} s; they are safe on disk. Check the store, then run "
                f"'grokscope sync' and 'grokscope detect {shown} --experiment {self.experiment} --write'"
            )
        if arrived := [run for run in self.waiting if run not in on_the_way]:
            try:
                yield from self._judge(arrived)
            except BusyStoreError:  # locked by a writer: those not judged yet are asked for again
                if any(map(self._is_late, arrived)):
                    raise
        else:
            with suppress(OSError):  # their trainers are gone, and nobody else replaces a shipper that died
                ensure_shipper(home(), self.uri)

    def _is_late(self, run: str) -> bool:
        return time.monotonic() - self.waiting.get(run, float("inf")) > self._patience_s

    def _on_the_way(self) -> set[str]:
        metas = (read_meta(folder) for folder in find_spools(home()))
        return {meta.run_id for meta in metas if meta is not None}

    def _judge(self, client_run_ids: list[str]) -> Iterator[Verdict]:
        store = self._writer.store()
        runs = store.runs(self.experiment)
        self.names.update(zip(runs["run_id"], runs["name"], strict=True))
        took = (runs["end_ms"] - runs["start_ms"]) / 1000
        self.seconds.update(zip(runs["run_id"], took.fill_null(0.0), strict=True))
        ids = ids_by_client(store, runs)
        self.client_run_ids.update({run: value for value, run in ids.items()})
        roles = store.aliases(self.experiment)
        for client_run_id in client_run_ids:
            if client_run_id not in ids:
                raise LatePointsError(
                    f"the run {client_run_id} is neither on disk nor in {redacted(self.uri)}: its spool "
                    "could not be written, or the run was deleted. Free the disk, or set GROKSCOPE_HOME to a "
                    "folder that can be written, and train again"
                )
            for verdict, _ in self._writer.write(ids[client_run_id], roles):
                yield verdict
            del self.waiting[client_run_id]

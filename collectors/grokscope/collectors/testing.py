"""Doubles that users need in their own tests too: a sink in memory."""

from collections.abc import Mapping

from grokscope.schemas.arrays import LoggedArray


class MemorySink:
    """Keeps what a tracker logs in memory; no file, no process, no MLflow.

    >>> sink = MemorySink()
    >>> sink.points(1, 1000, {"test/loss": 0.5})
    >>> sink.rows()
    [(1, 'test/loss', 0.5)]
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.records: list[tuple[int, int, dict[str, float]]] = []
        self.arrays: list[LoggedArray] = []
        self.status: str | None = None
        self.failed = ""
        self.is_withdrawn = False

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Keep one record."""
        self.records.append((step, time_ms, dict(values)))

    def array(self, logged: LoggedArray) -> None:
        """Keep one array."""
        self.arrays.append(logged)

    def end(
        self,
        status: str,
        time_ms: int,  # noqa: ARG002 - the sink's contract
        *,
        failed: str = "",
        is_withdrawn: bool = False,
    ) -> None:
        """Keep the status, what has failed, and whether the run is taken back."""
        self.status, self.failed, self.is_withdrawn = status, failed, is_withdrawn

    def wait_shipped(self, seconds: float) -> int:  # noqa: ARG002 - the sink's contract
        """Return 0: everything is where it should be."""
        return 0

    def rows(self) -> list[tuple[int, str, float]]:
        """Return (step, metric, value) in the order logged."""
        return [(step, key, value) for step, _, values in self.records for key, value in values.items()]

"""What a worker has read, a group at a time, so that the next one goes on after it died of a file."""

import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.importing.records import LOG_SCHEMA, Log, Skipped, run_from

CURRENT = "current.txt"
_GROUPS, _POINTS = "groups.jsonl", "groups.arrow"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadGroup:
    """What a group of files held.

    Attributes:
        where: Its name; no two groups of a source share one.
        logs: Its runs.
        skipped: What of it was left out.
    """

    where: str
    logs: Sequence[Log]
    skipped: Sequence[Skipped]


class Journal:
    """Groups in the order in which they were read, in two files of a folder.

    Args:
        folder: Of one import; what an earlier worker wrote there is kept as far as it is whole.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> list(Journal(folder).groups())
    []
    >>> from grokscope.importing.records import SourceRun
    >>> run = SourceRun(key="a", identity="0", is_certain=False, name="a", source="a.csv")
    >>> points = pl.DataFrame([["loss", 1, None, 0.5]], schema=LOG_SCHEMA, orient="row")
    >>> Journal(folder).add(ReadGroup(where="a.csv", logs=[Log(run=run, points=points)], skipped=[]))
    >>> [(one.where, one.logs[0].run == run, one.logs[0].points.rows()) for one in Journal(folder).groups()]
    [('a.csv', True, [('loss', 1, None, 0.5)])]
    """

    def __init__(self, folder: Path) -> None:
        self._groups, self._points = folder / _GROUPS, folder / _POINTS
        self._current = folder / CURRENT

    def begin(self, where: str) -> None:
        """Leave the name of what is read now, in case that this process dies of it; empty for nothing."""
        self._current.write_text(where, errors="surrogateescape")

    def groups(self) -> Iterator[ReadGroup]:
        """Yield what was read; what a worker was writing when it died is taken away first."""
        lines = self._whole_lines()
        if not lines:
            return
        told: list[dict[str, Any]] = [json.loads(line) for line in lines]
        os.truncate(self._points, sum(one["bytes"] for one in told))
        with self._points.open("rb") as whole:
            for one in told:
                file = io.BytesIO(whole.read(one["bytes"]))
                points = pl.read_ipc(file)
                yield ReadGroup(
                    where=one["where"],
                    logs=_logs(one["runs"], one["heights"], points),
                    skipped=[Skipped(**skipped) for skipped in one["skipped"]],
                )

    def _whole_lines(self) -> list[bytes]:
        content = self._groups.read_bytes() if self._groups.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            self._groups.write_bytes(whole)
        return whole.splitlines()

    def add(self, group: ReadGroup) -> None:
        """Keep what a group held."""
        frames = [log.points.select(LOG_SCHEMA.names()) for log in group.logs]
        content = io.BytesIO()
        pl.concat([LOG_SCHEMA.to_frame(), *frames]).write_ipc(content, compression="lz4")
        told = {
            "where": group.where,
            "runs": [log.run.to_dict() for log in group.logs],
            "heights": [frame.height for frame in frames],
            "skipped": [asdict(one) for one in group.skipped],
            "bytes": content.getbuffer().nbytes,
        }
        with self._points.open("ab") as file:
            file.write(content.getbuffer())
        # The line goes last: what has one is whole. ASCII, so that lone surrogates of a broken name survive.
        with self._groups.open("ab") as file:
            file.write(f"{json.dumps(told)}\n".encode("ascii"))


def _logs(runs: Sequence[dict[str, Any]], heights: Sequence[int], points: pl.DataFrame) -> list[Log]:
    logs: list[Log] = []
    start = 0
    for run, height in zip(runs, heights, strict=True):
        logs.append(Log(run=run_from(run), points=points.slice(start, height)))
        start += height
    return logs

"""What was logged beside what is stored: nothing missing, nothing twice, nothing made up."""

import json
import os
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import polars as pl

from grokscope.collectors.recording.ship import backlogs, ensure_shipper
from grokscope.collectors.recording.spool import find_spools
from grokscope.schemas.arrays import FOLDER, arrays_in
from grokscope.store import open_store

Row = tuple[int, str, float]


class Ledger:
    """A file with one line for each point; written whole or not at all, by whoever may be killed next."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def note(self, step: int, values: Mapping[str, float]) -> None:
        lines = "".join(json.dumps([step, key, value]) + "\n" for key, value in values.items())
        os.write(self._fd, lines.encode())


def read_ledger(path: Path) -> list[Row]:
    """Return the whole lines of a ledger; a kill may have torn the last one, or come before the first."""
    text = path.read_text() if path.exists() else ""
    return [tuple(json.loads(line)) for line in text[: text.rfind("\n") + 1].splitlines()]


def ship_all(home: Path, store: str, *, seconds: float) -> list[str]:
    """Let what is left arrive, as ``grokscope sync`` does; return what could not."""
    deadline = time.monotonic() + seconds
    while find_spools(home) and time.monotonic() < deadline:
        ensure_shipper(home, store)
        time.sleep(0.2)
    return [f"{b.points} points wait ({b.why}); stuck: {b.stuck}" for b in backlogs(home)]


def read_store(folder: Path) -> dict[str, list[Row]]:
    """Return all points of a store by the run id that the training side gave, an array as its first value.

    Args:
        folder: What holds ``mlflow.db`` and, somewhere below, the artifacts.
    """
    points = "select run_uuid, step, key, value from metrics where key not like 'collector/%'"
    names = "select run_uuid, value from tags where key = 'grokscope.client_run_id'"
    found: dict[str, list[Row]] = defaultdict(list)
    with closing(sqlite3.connect(f"file:{folder}/mlflow.db?mode=ro", uri=True)) as connection:
        run_names = dict(connection.execute(names))
        for run, *row in connection.execute(points):
            found[run_names[run]].append(tuple(row))
    for path in folder.rglob(f"{FOLDER}/*.parquet"):
        run = path.relative_to(folder).parts[-5]  # RUN/artifacts/grokscope/arrays/FILE
        arrays = arrays_in(path.read_bytes(), run_id=run)
        found[run_names[run]] += arrays.select("step", "name", pl.col("values").list.first()).rows()
    return found


def differences(*, kept: Iterable[Row], sent: Iterable[Row], stored: Iterable[Row]) -> dict[str, int]:
    """Return what is wrong; empty where all that was acknowledged is stored once and nothing else is."""
    there, kept, sent = Counter(stored), set(kept), set(sent)
    wrong = {
        "lost": len(kept - there.keys()),
        "doubled": sum(times > 1 for times in there.values()),
        "made up": len(there.keys() - sent),
    }
    return {name: number for name, number in wrong.items() if number}


def array_differences(server: str, experiment: str, stored: Mapping[str, Iterable[Row]]) -> list[str]:
    """Return what is wrong with the arrays as a server gives them: each step has one that is stored."""
    store = open_store(server)
    runs = store.runs(experiment)["run_id"].to_list()
    read = store.arrays(runs)
    found = read.frame.select("step", "name", pl.col("values").list.first()).rows()
    files = {row for rows in stored.values() for row in rows if row[1] == "layers"}
    steps = sum(len({step for step, name, _ in rows if name == "layers"}) for rows in stored.values())
    wrong = [*read.left_out]
    wrong += [f"{len(found)} arrays are read of {steps} steps"] * (len(found) != steps)
    return wrong + ["arrays are read that are in no file"] * (not files >= {*found})

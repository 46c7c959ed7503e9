"""The state of a store, as findings: what is well, what is slow or silent, and what would help."""

import time
from collections.abc import Iterator

import polars as pl

from grokscope.schemas.runs.silence import SILENT_MS, silent_runs
from grokscope.schemas.secrets import redacted
from grokscope.store.errors import StoreError
from grokscope.store.findings import Finding, Health
from grokscope.store.opening import open_store
from grokscope.store.protocol import Store

SLOW_POINTS_S = 10_000
"""Reading fewer points a second than this is slow; MLflow's own client reads some 30 000."""

SKEW_MS = 60_000

_MEASURED = 5
_FEW = 2_000


def examine_store(uri: str, *, now_ms: int) -> Iterator[Finding]:
    """Yield findings on the store at ``uri``; nothing is written to it.

    Args:
        uri: The store's address.
        now_ms: The clock of this machine, Unix time in ms.
    """
    try:
        store = open_store(uri)
        yield Finding(subject="store", health=Health.OK, says=f"{redacted(uri)} answers")
        yield _way(store)
        yield from store.describe()
        runs = store.runs()
        yield _speed(store, runs)
        yield _silent(store, runs, now_ms)
        yield _skew(runs, now_ms)
    except StoreError as error:
        says, _, remedy = str(error).partition(". ")
        yield Finding(subject="store", health=Health.FAIL, says=says, remedy=remedy)


def _way(store: Store) -> Finding:
    if store.notice is None:
        return Finding(subject="reading", health=Health.OK, says="by the fast path")
    return Finding(
        subject="reading",
        health=Health.WARN,
        says=store.notice,
        remedy="Run `pip install --upgrade grokscope mlflow`.",
    )


def _speed(store: Store, runs: pl.DataFrame) -> Finding:
    ids = runs["run_id"].head(_MEASURED).to_list()
    begun = time.perf_counter()
    count = store.points(ids).height if ids else 0
    taken = time.perf_counter() - begun
    says = f"{count:,} points of {len(ids)} runs in {taken:.2f} s"
    if count >= _FEW and count / taken < SLOW_POINTS_S:
        return Finding(
            subject="speed",
            health=Health.WARN,
            says=says,
            remedy="Look at the load of the store; with a PostgreSQL behind a server, give its own address.",
        )
    return Finding(subject="speed", health=Health.OK, says=says)


def _silent(store: Store, runs: pl.DataFrame, now_ms: int) -> Finding:
    silent = runs.filter(pl.col("run_id").is_in(silent_runs(runs, store.points, now_ms=now_ms)))
    if silent.is_empty():
        running = runs.filter(pl.col("status") == "RUNNING").height
        return Finding(subject="runs", health=Health.OK, says=f"{running:,} running, none of them silent")
    first = silent.row(0, named=True)
    return Finding(
        subject="runs",
        health=Health.WARN,
        says=f"{silent.height:,} runs say that they are running and have been silent for over "
        f"{SILENT_MS // 1000} s, the newest {first['name'] or first['run_id']!r}",
        remedy="Their trainers are gone or hang. If gone: "
        f'`mlflow.MlflowClient().set_terminated("{first["run_id"]}", "KILLED")`.',
    )


def _skew(runs: pl.DataFrame, now_ms: int) -> Finding:
    latest = runs.select(pl.max_horizontal("last_ms", "start_ms", "end_ms").max()).item() or 0
    ahead_ms = latest - now_ms
    if ahead_ms > SKEW_MS:
        return Finding(
            subject="clocks",
            health=Health.WARN,
            says=f"the newest entry lies {ahead_ms / 1000:,.0f} s in the future",
            remedy="Set the clocks of the training machines and of this one by NTP.",
        )
    return Finding(subject="clocks", health=Health.OK, says="no entry lies in the future")

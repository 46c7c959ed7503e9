"""The state of a store, as findings: what is well, what is slow or silent, and what would help."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version

import polars as pl

from grokscope.schemas import OtherVersionError, check_version, release_of, revision_of
from grokscope.schemas.runs.silence import SILENT_MS, silent_runs
from grokscope.schemas.secrets import redacted
from grokscope.store.errors import StoreError
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.opening import open_store
from grokscope.store.protocol import Store
from grokscope.store.rest.calls import RestCalls
from grokscope.store.sqlite.file import reading
from grokscope.store.uris import Transport, sqlite_path, transport_of

SLOW_POINTS_S = 10_000
"""Reading fewer points a second than this is slow; MLflow's own client reads some 30 000."""

SKEW_MS = 60_000
BIG_BYTES = 8 << 30

_MEASURED = 5
_FEW = 2_000


class Health(StrEnum):
    """How a thing is; the worst of all is the command's exit status (0, 1, 2)."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        health: How it is.
        says: What was found.
        remedy: What would help; empty where nothing has to.
    """

    subject: str
    health: Health
    says: str
    remedy: str = ""


def examine_store(uri: str, *, now_ms: int) -> Iterator[Finding]:
    """Yield findings on the store at ``uri``; nothing is written to it.

    Args:
        uri: The store's address.
        now_ms: The clock of this machine, Unix time in ms.
    """
    try:
        store = open_store(uri)
        yield Finding(subject="store", health=Health.OK, says=f"{redacted(uri)} answers")
        yield _transport(store)
        yield _version(uri)
        yield _size(uri, store)
        runs = store.runs()
        yield _speed(store, runs)
        yield _silent(store, runs, now_ms)
        yield _skew(runs, now_ms)
    except StoreError as error:
        says, _, remedy = str(error).partition(". ")
        yield Finding(subject="store", health=Health.FAIL, says=says, remedy=remedy)


def _transport(store: Store) -> Finding:
    if store.notice is None:
        return Finding(subject="reading", health=Health.OK, says="by the fast path")
    return Finding(
        subject="reading",
        health=Health.WARN,
        says=store.notice,
        remedy="Run `pip install --upgrade grokscope mlflow`.",
    )


def _version(uri: str) -> Finding:
    transport, here = transport_of(uri), f"mlflow {version('mlflow-skinny')} here"
    if transport is Transport.PARQUET:
        return Finding(subject="version", health=Health.OK, says=here)
    if transport is Transport.HTTP:
        return _of_server(_server_version(uri), here)
    with explained(uri):
        revision = revision_of(uri)
        says = f"{'no version noted' if revision is None else release_of(revision)} there, {here}"
        try:
            check_version(uri, shown=redacted(uri))
        except OtherVersionError as error:
            says = f"{says}, which reads it and writes nothing to it"
            return Finding(subject="version", health=Health.WARN, says=says, remedy=f"{error}.")
    return Finding(subject="version", health=Health.OK, says=says)


def _of_server(server: str, here: str) -> Finding:
    says = f"mlflow {server} there, {here}"
    if server.split(".", maxsplit=1)[0] in ("0", "1"):
        remedy = "Upgrade the server: those of MLflow 2 and 3 are known to work."
        return Finding(subject="version", health=Health.WARN, says=says, remedy=remedy)
    return Finding(subject="version", health=Health.OK, says=says)


def _server_version(uri: str) -> str:
    return RestCalls(uri).version()[:20]


def _size(uri: str, store: Store) -> Finding:
    experiments = store.experiments()
    says = f"{experiments.height:,} experiments, {experiments['runs'].sum():,} runs"
    if transport_of(uri) is not Transport.SQLITE:
        return Finding(subject="size", health=Health.OK, says=says)
    path = sqlite_path(uri)
    with reading(path) as connection:
        rows = connection.execute("SELECT MAX(rowid) FROM metrics").fetchone()[0] or 0
    size = path.stat().st_size
    says = f"{says}, some {rows:,} points in {shown_bytes(size)}"
    if size > BIG_BYTES:
        return Finding(
            subject="size",
            health=Health.WARN,
            says=says,
            remedy="`mlflow gc` removes deleted runs for good; a team's store is better off on PostgreSQL.",
        )
    return Finding(subject="size", health=Health.OK, says=says)


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


def shown_bytes(size: int) -> str:
    """Return a size for people.

    >>> shown_bytes(512), shown_bytes(3 << 20)
    ('512 B', '3.0 MiB')
    """
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":  # noqa: PLR2004 - what the units say
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TiB"

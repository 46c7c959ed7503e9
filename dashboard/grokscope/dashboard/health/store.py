"""The store: how it is reached, how fast, what is kept of it on the local disk."""

from collections.abc import Iterator

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.feeds.store_state import StoreState
from grokscope.dashboard.words import phrases
from grokscope.schemas.addresses import Kind, UnknownAddressError, address_of
from grokscope.store.findings import Finding, Health, shown_bytes

SLOW_S = 5.0
"""A reading that takes longer keeps pages waiting: they show what was read before, and say so."""

_KINDS = {
    Kind.SQLITE: "a SQLite file",
    Kind.SERVER: "an MLflow server",
    Kind.POSTGRES: "a PostgreSQL database",
    Kind.DATABASE: "a database, read through MLflow",
    Kind.PARQUET: "a folder of Parquet files",
    Kind.MLFLOW: "a store that is only written to",
}
_MIRRORED = frozenset({Kind.SQLITE, Kind.SERVER, Kind.POSTGRES})


def store_findings(state: StoreState, snapshot: Snapshot) -> Iterator[Finding]:
    """Yield how the store is.

    Args:
        state: How it is reached.
        snapshot: Its last reading.
    """
    kind = _kind(state.uri)
    what = "of an unknown kind" if kind is None else _KINDS[kind]
    yield Finding(subject="address", health=Health.OK, says=f"{state.uri}, {what}")
    yield _answer(snapshot)
    yield _way(snapshot)
    yield _speed(state)
    # What is said of a failure stands above already.
    yield from (
        finding for finding in state.findings if snapshot.problem is None or finding.subject != "store"
    )
    which = "these experiments" if snapshot.parts else "this experiment"
    yield Finding(
        subject="in memory",
        health=Health.OK,
        says=f"{phrases.counted(snapshot.runs.height, 'run')} of {which}; {state.points:,} points of "
        "the curves that are judged, of all experiments that were looked at",
    )
    yield _mirror(state, kind, now_s=snapshot.taken_ms / 1000)


def _kind(uri: str) -> Kind | None:
    try:
        return address_of(uri).kind
    except UnknownAddressError:
        return None


def _answer(snapshot: Snapshot) -> Finding:
    if snapshot.problem is None:
        return Finding(subject="answer", health=Health.OK, says="it could be read at the last try")
    health = Health.WARN if snapshot.missing else Health.FAIL
    says, _, remedy = snapshot.problem.partition(". ")
    return Finding(subject="answer", health=health, says=says, remedy=remedy)


def _way(snapshot: Snapshot) -> Finding:
    if snapshot.problem is not None:
        says = "cannot tell: the store could not be read"
        return Finding(subject="way of reading", health=Health.WARN, says=says)
    if snapshot.notice is None:
        return Finding(subject="way of reading", health=Health.OK, says="the fast one")
    return Finding(subject="way of reading", health=Health.WARN, says=snapshot.notice)


def _speed(state: StoreState) -> Finding:
    if state.took_s is None:
        says = "cannot tell: no reading has ended yet"
        return Finding(subject="last reading", health=Health.WARN, says=says)
    says = f"it took {state.took_s:.2f} s, judging included"
    if state.took_s <= SLOW_S:
        return Finding(subject="last reading", health=Health.OK, says=says)
    return Finding(
        subject="last reading",
        health=Health.WARN,
        says=says,
        remedy="Look at the load of the store and of this machine; `grokscope doctor` measures its speed.",
    )


def _mirror(state: StoreState, kind: Kind | None, *, now_s: float) -> Finding:
    subject = "mirror on disk"
    if kind not in _MIRRORED:
        return Finding(subject=subject, health=Health.OK, says="none: this kind of store needs none")
    if state.mirror is None:
        return Finding(subject=subject, health=Health.OK, says="none yet")
    size, used_s = state.mirror
    age = phrases.duration(max(0.0, now_s - used_s))
    return Finding(subject=subject, health=Health.OK, says=f"{shown_bytes(size)}, opened or saved {age} ago")

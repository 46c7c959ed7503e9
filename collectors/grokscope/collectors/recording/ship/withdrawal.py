"""Runs that were begun and should not be there: taken back, also while their store is away."""

import time
from contextlib import suppress
from pathlib import Path

from grokscope.collectors.recording.ship.launch import ensure_shipper
from grokscope.collectors.recording.spool import (
    END,
    Meta,
    SpoolWriter,
    WriterLock,
    find_spools,
    next_attempt,
    prepare_spool,
    publish_spool,
    read_meta,
    remove_spool,
    writer_is_alive,
)
from grokscope.schemas import home, store_uri
from grokscope.schemas.names import plain_text, stored_experiment
from grokscope.schemas.secrets import without_credentials
from grokscope.schemas.tags import ELSEWHERE, WITHDRAWN


def withdraw_run(
    run_id: str,
    *,
    store: str | None = None,
    experiment: str,
    why: str = "withdrawn",
    is_elsewhere: bool = False,
) -> None:
    """Have a run deleted in MLflow's soft way, from which it can be restored, whatever has arrived of it.

    What of it waits on this machine's disk is removed, and a record takes its place that the shipper carries
    like any other: so this returns at once, and works while the store is away. A run that never reached the
    store is not made. Twice is as once.

    Args:
        run_id: ``tracker.run_id`` of a process that has ended; one that still logs goes on until it ends, and
            its run is deleted then.
        store: MLflow tracking URI, as the tracker had it.
        experiment: Name of the experiment, as the tracker had it.
        why: In a few words; the deleted run carries it as the tag ``grokscope.withdrawn``.
        is_elsewhere: It was written on another machine, which may still send what it holds: then a run that
            never reached the store is made and deleted, so that it is found so.

    Raises:
        OSError: If the record cannot be written.
    """
    place, uri = home(), store_uri(store)
    shown = without_credentials(uri)
    if not _is_on_its_way(place, run_id, shown):
        now_ms = time.time_ns() // 1_000_000
        meta = Meta(
            run_id=run_id,
            store=shown,
            experiment=stored_experiment(experiment),
            name=run_id[:8],
            tags={WITHDRAWN: plain_text(why)} | ({ELSEWHERE: "true"} if is_elsewhere else {}),
            start_ms=now_ms,
            attempt=next_attempt(place, run_id).number,
        )
        hidden = prepare_spool(place, meta)
        WriterLock(hidden).release()
        # A shipper of an earlier version knows no such tag, but this end.
        end = {"event": END, "status": "KILLED", "time_ms": now_ms, "withdrawn": True}
        SpoolWriter(hidden).close(end)
        publish_spool(hidden)
    with suppress(OSError):  # the next tracker starts one, or 'grokscope sync'
        ensure_shipper(place, uri)


def _is_on_its_way(place: Path, run_id: str, store: str) -> bool:
    """Say whether the run is being withdrawn already; remove what its dead writers have left."""
    for folder in find_spools(place):
        meta = read_meta(folder)
        if meta is None or (meta.run_id, meta.store) != (run_id, store):
            continue
        if WITHDRAWN in meta.tags:
            return True
        if not writer_is_alive(folder, meta):
            remove_spool(folder)
    return False

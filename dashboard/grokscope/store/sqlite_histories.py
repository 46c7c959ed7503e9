"""Histories that are asked for the first time: looked up by the index, or picked out of one pass."""

import sqlite3
from collections.abc import Mapping, Sequence

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.frames import points_from_rows
from grokscope.store.held import HeldPoints
from grokscope.store.sqlite_queries import arrived, history, share

SCAN_FROM = 0.1
"""Share of all curves from which one pass over the table is faster. Rows of runs that train at the same time
lie mixed, so that looking one up costs about 5 µs; passing one by costs 0.3 µs, taking it 1 µs."""

Lacking = Mapping[str, Sequence[str] | None]
"""Run -> metrics to be read, ``None`` for all."""


def read_lacking(
    connection: sqlite3.Connection,
    held: HeldPoints,
    *,
    metrics: Sequence[str] | None,
    lacking: Lacking,
    until: int,
) -> None:
    """Read into ``held`` what is lacking; rows later than row ``until`` may be left to the next refresh.

    Args:
        connection: From ``reading``.
        held: Where the points go.
        metrics: All that is asked for; each run lacks these or some of them.
        lacking: What to read.
        until: Row up to which ``held`` is to be complete.
    """
    if len(lacking) > 1 and share(connection, list(lacking), metrics) >= SCAN_FROM:
        parts = arrived(connection, list(lacking), after=0, until=until, metrics=metrics)
        points = pl.concat([empty_points(), *map(points_from_rows, parts)])
        histories = points.partition_by("run_id", as_dict=True)
        for run_id, keys in lacking.items():
            held.add(run_id, histories.get((run_id,), empty_points()), keys=keys)
        return
    for run_id, keys in lacking.items():
        held.add(run_id, points_from_rows(history(connection, run_id, keys)), keys=keys)

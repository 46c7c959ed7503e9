"""Histories that are asked for the first time: looked up by the index, or picked out of one pass."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.cache.point_cache import PointCache
from grokscope.store.frames import points_from_frame
from grokscope.store.sqlite.bulk import BulkReader, Rows
from grokscope.store.sqlite.queries import arrived, history, share
from grokscope.store.sqlite.schema import step_index

SCAN_FROM = 0.1
"""Share of all curves from which one pass over the table is faster. Rows of runs that train at the same time
lie mixed, so that looking one up costs about 5 µs; passing one by costs 0.3 µs, taking it 1 µs."""

_TOGETHER = 200_000

Lacking = Mapping[str, Sequence[str] | None]
"""Run -> metrics to be read, ``None`` for all."""


def read_lacking(
    reader: BulkReader,
    cache: PointCache,
    *,
    metrics: Sequence[str] | None,
    lacking: Lacking,
    until: int,
) -> None:
    """Read into ``cache`` what is lacking; rows later than row ``until`` may be left to the next refresh.

    Args:
        reader: From ``bulk_reading``.
        cache: Where the points go.
        metrics: All that is asked for; each run lacks these or some of them.
        lacking: What to read.
        until: Row up to which ``cache`` is to be complete.
    """
    if len(lacking) > 1 and share(reader.connection, list(lacking), metrics) >= SCAN_FROM:
        parts = arrived(reader.rows, list(lacking), after=0, until=until, metrics=metrics)
    else:
        parts = _looked_up(reader.rows, lacking, index=step_index(reader.connection))
    # Each part is taken as it comes, so that a large table is never in memory as a whole.
    for run_id, keys in lacking.items():
        cache.add(run_id, empty_points(), keys=keys)
    try:
        for points in parts:
            cache.extend(points)
    except BaseException:
        cache.drop(lacking)  # they were said to be complete, and are not
        raise


def _looked_up(rows: Rows, lacking: Lacking, *, index: str) -> Iterator[pl.DataFrame]:
    """Yield the histories, many short ones together."""
    waiting: list[pl.DataFrame] = []
    for run_id, keys in lacking.items():
        waiting += history(rows, run_id, keys, index=index)
        if sum(part.height for part in waiting) >= _TOGETHER:
            yield points_from_frame(pl.concat(waiting))
            waiting.clear()
    if waiting:
        yield points_from_frame(pl.concat(waiting))

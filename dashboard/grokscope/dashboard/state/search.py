"""Which runs of an experiment a query asks for, and how what is typed of one can go on."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.words.patterns import PATTERN_OF_WORD
from grokscope.schemas.runs.query import Completion, Facts, Names, Query, complete, ends_of_curves, names_of


def matching(snapshot: Snapshot, where: str, *, source: SnapshotSource) -> list[str]:
    """Return the ids of the runs that a query asks for; all for an empty one.

    Raises:
        QueryError: If it cannot be read, or names what the runs do not have.
    """
    ids: list[str] = snapshot.runs["run_id"].to_list()
    return Query.parse(where).selects(facts_of(snapshot, source)) if where.strip() else ids


def suggestions(snapshot: Snapshot, where: str, *, source: SnapshotSource, most: int = 6) -> list[Completion]:
    """Return how a query that is not whole yet can go on at its end."""
    return complete(where, len(where), names_in(snapshot, source), most=most)


def names_in(snapshot: Snapshot, source: SnapshotSource) -> Names:
    """Return what a query on the runs can name."""
    return names_of(facts_of(snapshot, source))


def facts_of(snapshot: Snapshot, source: SnapshotSource) -> Facts:
    """Return what is known of the runs; metrics are read when a query names one."""
    ids: list[str] = snapshot.runs["run_id"].to_list()
    return Facts(
        runs=snapshot.runs.rename({"start_ms": "started_ms", "end_ms": "ended_ms"}).select(
            "run_id", "name", "status", "started_ms", "ended_ms", "seed", "group"
        ),
        params=snapshot.params,
        tags=snapshot.tags,
        metric_names=source.metrics(ids),
        metrics=partial(_ends, source, ids),
        verdicts=snapshot.verdicts,
        pattern_words=PATTERN_OF_WORD,
        now_ms=snapshot.taken_ms,
    )


def _ends(source: SnapshotSource, ids: Sequence[str], metrics: Sequence[str]) -> pl.DataFrame:
    return ends_of_curves(source.points(ids, metrics))

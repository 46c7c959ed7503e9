"""What people decided about runs: taken into every verdict that is shown, and written where it is decided."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import polars as pl

from grokscope.dashboard.state.data import SnapshotSource
from grokscope.dashboard.state.narrowing import by_run
from grokscope.schemas import ReviewRecord, Verdict, review_changes, reviewed, reviews_in

Change = Callable[[ReviewRecord], ReviewRecord]


def as_reviewed(verdicts: Mapping[str, Verdict], tags: pl.DataFrame) -> dict[str, Verdict]:
    """Return verdicts as people left them.

    Args:
        verdicts: The detector's, by run id.
        tags: ``PAIR_SCHEMA``, of any runs.

    >>> from grokscope.store import PAIR_SCHEMA
    >>> as_reviewed({}, PAIR_SCHEMA.to_frame())
    {}
    """
    of_runs = by_run(tags)
    return {
        run: reviewed(verdict, of_runs[run]).verdict if run in of_runs else verdict
        for run, verdict in verdicts.items()
    }


def keep(source: SnapshotSource, run_id: str, change: Change) -> str | None:
    """Write one more decision to a run, from what its tags say now; return the problem if it cannot be kept.

    Two people who decide in the same moment: the later one wins, and may miss the earlier one's decision.
    """
    return source.change_tags(run_id, lambda tags: review_changes(change(reviews_in(tags)), tags))


def now() -> str:
    """Return the time of a review: ISO 8601, in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

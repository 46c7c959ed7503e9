"""What the rail leaves of experiments, and what it says where a query cannot be read."""

from dataclasses import dataclass, replace

import streamlit as st

from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.state.narrowing import grouped, narrowed, of_shown_groups
from grokscope.dashboard.state.search import matching
from grokscope.dashboard.state.selection import Selection
from grokscope.schemas.runs.query import QueryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What the rail leaves of experiments; a function of their snapshot.

    Attributes:
        source: Where metrics of runs are read that a query asks for.
        selection: As the rail shows it.
    """

    source: SnapshotSource
    selection: Selection

    def __call__(self, snapshot: Snapshot) -> Snapshot:
        """Return what of the snapshot is looked at; a query that cannot be read leaves all."""
        found, _ = asked(snapshot, self.source, self.selection.by, self.selection.where)
        # What is wrong with the store is no part of what is kept: the runs are as they were, and it is not.
        now = {name: getattr(snapshot, name) for name in _OF_THIS_READING}
        return of_shown_groups(replace(found, **now), self.selection)


_OF_THIS_READING = ("taken_ms", "problem", "missing", "notice", "experiments")


@st.cache_resource(
    max_entries=2,  # each holds the curves of one reading
    show_spinner=False,
    hash_funcs={Snapshot: lambda snapshot: (snapshot.found, snapshot.taken_ms // 60_000)},
)
def asked(
    snapshot: Snapshot, _source: SnapshotSource, by: tuple[str, ...] | None, where: str
) -> tuple[Snapshot, str | None]:
    """Return the runs that are asked for; all of them, and the problem, where the query cannot be read."""
    found = grouped(snapshot, by)
    try:
        return narrowed(found, matching(found, where, source=_source)), None
    except QueryError as error:
        return found, str(error)

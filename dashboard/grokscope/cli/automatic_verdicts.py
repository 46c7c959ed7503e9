"""Verdicts written to the runs of a store as they end, so that MLflow's own page shows them."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread

from grokscope.cli.terminal import complain
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.connection import Opener, StoreConnection
from grokscope.schemas import GrokscopeError, Verdict, reviewed
from grokscope.schemas.addresses import address_of
from grokscope.schemas.tags import VERDICT_TAGS
from grokscope.store import MissingStoreError, Store, StoreError, open_store, under_roles
from grokscope.store.verdict_tags import tags_of
from grokscope.transitions import detect

EVERY_S = 15.0
"""Pause between two passes over a store."""

MOST_RUNS = 20
"""Runs judged in one pass; where more have ended, the next one goes on with them at once."""

_LAST_WRITE_S = 10.0
_STATE = ("run_id", "status", "end_ms", "last_ms", "step")
"""What tells, beside its experiment's roles, that a run that has ended was resumed or has newer points."""
_State = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    run_id: str
    roles: Mapping[str, str]
    state: _State


class VerdictWriter:
    """Writes verdicts to runs, and again only where they have changed.

    Args:
        uri: The store's address.
        opener: Opens it; by default without a mirror, which is left to who shows the runs.
    """

    def __init__(self, uri: str, *, opener: Opener = partial(open_store, mirrored=False)) -> None:
        self.uri = uri
        self._connection = StoreConnection(uri, clock=time.monotonic, opener=opener)
        self._judged: dict[str, _State] = {}
        self._due: list[_Due] = []
        self._failures = Counter[str]()

    @property
    def is_behind(self) -> bool:
        """Whether more runs that have ended are known than have been judged."""
        return bool(self._due)

    def store(self) -> Store:
        """Return the store, opened at the first call. Raises ``StoreError`` if it cannot be."""
        return self._connection.store()

    def write_ended(self, *, ended: Callable[[], bool] = lambda: False) -> int:
        """Judge runs that have ended since they were last judged; return how many verdicts were written.

        A run that cannot be written is tried again after all others; one that cannot be judged is said once.

        Args:
            ended: Asked between two runs whether to stop.

        Raises:
            StoreError: If the store cannot be read or written; the next call goes on from there.
        """
        if not self._due:
            self._due = self._listed()
        written = 0
        for _ in range(min(MOST_RUNS, len(self._due))):  # one at a time: a run can have thousands of curves
            if ended():
                break
            due = self._due.pop(0)
            try:
                written += sum(is_new for _, is_new in self.write(due.run_id, due.roles))
            except StoreError:
                self._failures[due.run_id] += 1
                raise
            except Exception as error:  # noqa: BLE001 - one odd run must not take the others' verdicts along
                complain(f"run {due.run_id} gets no verdict: {type(error).__name__}: {error}")
            self._failures.pop(due.run_id, None)
            self._judged[due.run_id] = due.state
        return written

    def _listed(self) -> list[_Due]:
        """Return the runs that have changed since they were judged, those that failed least first."""
        # What the store has read of earlier runs is let go with it: they are not asked for again.
        self._connection.close()
        ended = phases.ended(self.store().runs())
        roles = {name: self.store().aliases(name) for name in ended["experiment"].unique()}
        rows = ended.select("experiment", *_STATE).iter_rows()
        found = [
            _Due(run_id=run, roles=roles[name], state=(tuple(roles[name].items()), *rest))
            for name, run, *rest in rows
        ]
        self._forget_but({due.run_id for due in found})
        changed = [due for due in found if self._judged.get(due.run_id) != due.state]
        return sorted(changed, key=lambda due: self._failures[due.run_id])

    def write(self, run_id: str, roles: Mapping[str, str]) -> Iterator[tuple[Verdict, bool]]:
        """Judge a run under its experiment's roles; yield its verdict, and whether it was new and written.

        What is written is the detector's; what is yielded is as a person left it. Nothing is yielded of a run
        without points.

        Raises:
            StoreError: If the store cannot be read or written.
        """
        store = self.store()
        tags = dict(store.tags([run_id]).select("key", "value").iter_rows())
        present = {key: value for key, value in tags.items() if key in VERDICT_TAGS}
        for verdict in detect(under_roles(store.points([run_id]), roles)):
            is_new = present != tags_of(verdict)
            if is_new:
                store.write_verdict(verdict)
            yield reviewed(verdict, tags).verdict, is_new

    def _forget_but(self, runs: AbstractSet[str]) -> None:
        for known in (self._judged, self._failures):
            for run in known.keys() - runs:
                del known[run]


@contextmanager
def automatic_verdicts(uri: str, *, every_s: float = EVERY_S) -> Generator[None]:
    """Write the verdict of each run that has ended, for as long as the block lasts.

    A store that cannot be read or written is said once on stderr and tried again.

    Raises:
        StoreError: If it is of a kind that takes none.
    """
    address = address_of(uri)
    if address.why_not_written:
        raise StoreError(f"no verdicts can be written: {address.shown} {address.why_not_written}")
    ended = Event()
    arguments = {"writer": VerdictWriter(uri), "ended": ended, "every_s": every_s}
    thread = Thread(target=_keep_writing, kwargs=arguments, name="writes verdicts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LAST_WRITE_S)


def _keep_writing(*, writer: VerdictWriter, ended: Event, every_s: float) -> None:
    said = set[type[GrokscopeError]]()  # the kinds alone: what a store says may name each run in turn
    while not ended.is_set():
        try:
            writer.write_ended(ended=ended.is_set)
            said.clear()
        except MissingStoreError:
            pass  # It comes with its first run, and what is missing until then is said by the page.
        except GrokscopeError as error:
            if type(error) not in said:
                said.add(type(error))
                complain(f"verdicts are not written: {error}; trying again")
        ended.wait(0 if writer.is_behind else every_s)

"""Verdicts written to the runs of a store as they end, so that MLflow's own page shows them."""

import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from grokscope.cli.terminal import complain
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.connection import Opener, StoreConnection
from grokscope.schemas import GrokscopeError, Verdict, verdict_to_json
from grokscope.schemas.tags import VERDICT_TAGS
from grokscope.store import MissingStoreError, Store, StoreError, open_store, under_roles
from grokscope.store.verdict_tags import tags_of
from grokscope.transitions import detect

EVERY_S = 15.0
"""Pause between two passes over a store."""

MOST_RUNS = 20
"""Runs judged in one pass; where more have ended, the next one follows at once."""

_LAST_WRITE_S = 10.0
_STATE = ("run_id", "status", "end_ms", "last_ms", "step")
"""What tells that a run that has ended was resumed, or that points came late."""
_State = tuple[object, ...]


class VerdictWriter:
    """Writes verdicts to runs, and again only where they have changed.

    Args:
        uri: The store's address.
        opener: Opens it.
    """

    def __init__(self, uri: str, *, opener: Opener = open_store) -> None:
        self.uri = uri
        self.is_behind = False
        self._connection = StoreConnection(uri, clock=time.monotonic, opener=opener)
        self._judged: dict[str, _State] = {}
        self._verdicts: dict[str, int] = {}
        self._failures = Counter[str]()

    def store(self) -> Store:
        """Return the store, opened at the first call. Raises ``StoreError`` if it cannot be."""
        return self._connection.store()

    def write_ended(self) -> int:
        """Judge runs that have ended since they were last judged; return how many verdicts were written.

        ``is_behind`` then says whether more of them are left. A run that could not be written is tried again
        after all others.

        Raises:
            StoreError: If the store cannot be read or written; the next call goes on from there.
        """
        self.is_behind = False
        ended = phases.ended(self.store().runs())
        states = {run: tuple(rest) for run, *rest in ended.select(_STATE).iter_rows()}
        self._forget_but(states)
        due = [run for run, state in states.items() if self._judged.get(run) != state]
        due.sort(key=lambda run: self._failures[run])
        experiment_of = dict(ended.select("run_id", "experiment").iter_rows())
        written = 0
        for run in due[:MOST_RUNS]:  # one at a time: a run can have thousands of curves
            try:
                written += sum(is_new for _, is_new in self.write(run, experiment_of[run]))
            except StoreError:
                self._failures[run] += 1
                raise
            self._failures.pop(run, None)
            self._judged[run] = states[run]
        self.is_behind = len(due) > MOST_RUNS
        return written

    def write(self, run_id: str, experiment: str) -> Iterator[tuple[Verdict, bool]]:
        """Judge a run of an experiment; yield its verdict, and whether it was new and has been written.

        Nothing is yielded of a run without points.

        Raises:
            StoreError: If the store cannot be read or written.
        """
        store = self.store()
        tags = dict(store.tags([run_id]).select("key", "value").iter_rows())
        present = {key: value for key, value in tags.items() if key in VERDICT_TAGS}
        for verdict in detect(under_roles(store.points([run_id]), store.aliases(experiment))):
            digest = hash(verdict_to_json(verdict))
            is_new = present != tags_of(verdict) or self._verdicts.get(run_id, digest) != digest
            if is_new:
                store.write_verdict(verdict)
            self._verdicts[run_id] = digest
            yield verdict, is_new

    def _forget_but(self, runs: Mapping[str, object]) -> None:
        for known in (self._judged, self._verdicts, self._failures):
            for run in known.keys() - runs.keys():
                del known[run]


@contextmanager
def automatic_verdicts(uri: str, *, every_s: float = EVERY_S) -> Generator[None]:
    """Write the verdict of each run that has ended, for as long as the block lasts.

    A store that cannot be read or written is said once on stderr and tried again.
    """
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
    said = ""
    while not ended.is_set():
        try:
            writer.write_ended()
            said = ""
        except MissingStoreError:
            pass  # It comes with its first run, and what is missing until then is said by the page.
        except GrokscopeError as error:
            if said != str(error):
                said = str(error)
                complain(f"verdicts are not written: {said}; trying again")
        ended.wait(0 if writer.is_behind else every_s)

"""One run in its store: how it is opened, described and ended, and what the store refuses of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from grokscope.collectors.recording.ship.delivery.bisecting_queue import BisectingQueue
from grokscope.collectors.recording.ship.delivery.dead_letters import DeadLetters
from grokscope.collectors.recording.ship.delivery.run_header import ending_of, run_header
from grokscope.collectors.recording.ship.run_store import (
    Label,
    NoPlace,
    OtherVersion,
    Refused,
    RunStore,
    Scalar,
    TooSlow,
    Unavailable,
)
from grokscope.collectors.recording.spool import Meta
from grokscope.schemas import CLIENT_RUN_ID, REFUSED
from grokscope.schemas.limits import LABELS_A_CALL, METRICS_A_CALL

# A store that is too slow for so few is not helped by fewer.
_SMALLEST_BATCH = 50
_REASON_LENGTH = 500
# A store that refuses all of a run, and nothing else, is believed after this long and this many tries.
BELIEVED_SECONDS = 300.0
_BELIEVED_TRIES = 4


class RefusedForNow(Unavailable):
    """The store refuses all of a run, maybe for a reason that passes."""


class RefusalTimer:
    """How long a store has refused a run while it took other things.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None
        self._tries = 0

    def check(self, error: Exception) -> None:
        """Call a refusal an outage until it has lasted: a proxy in trouble may refuse whatever comes.

        Args:
            error: What the store said.

        Raises:
            RefusedForNow: While it has not.
        """
        self._since = self._clock() if self._since is None else self._since
        self._tries += 1
        if self._tries < _BELIEVED_TRIES or self._clock() - self._since < BELIEVED_SECONDS:
            raise RefusedForNow(
                f"it refuses a run ({error}); that is tried again, and all of it kept"
            ) from error

    def forget(self) -> None:
        """Begin anew: something else has happened."""
        self._since, self._tries = None, 0


class RunUpload:
    """What a store has of one run, and what is on its way there.

    A record that the store refuses, be it a point, a param, a tag or the end, goes to the dead letters and
    costs none of the others.

    Args:
        meta: What the spool says the run is.
        run_store: Where it goes.
        letters: Takes what the store refuses.
        clock: Seconds that only grow; see ``RefusalTimer``.

    Attributes:
        batch_size: How many points are sent at once; less where the store is slow.
        refusals: How long a store has refused all of it.
    """

    def __init__(
        self, meta: Meta, *, run_store: RunStore, letters: DeadLetters, clock: Callable[[], float]
    ) -> None:
        self.batch_size = METRICS_A_CALL
        self.refusals = RefusalTimer(clock)
        self._meta = meta
        self._run_store = run_store
        self._letters = letters
        self._count_told = 0
        self._told_id = Label("tag", CLIENT_RUN_ID, meta.run_id)
        self._file_refusals = RefusalTimer(clock)
        self._gives_up_files = False
        self._id = ""
        self._labels: BisectingQueue[Label]
        self._points: BisectingQueue[Scalar]

    @property
    def waiting(self) -> int:
        """How many points are still to be sent."""
        return len(self._points) if self._id else 0

    def open(self) -> None:
        """Create the run or find it again, and send its params and tags; at later calls what is left of them.

        Raises:
            Refused: If the store takes no such run.
        """
        run = self._id or self._opened()
        while self._labels:
            self._labels.advance()
        self._tell_refused(run)

    def add(self, points: Sequence[Scalar]) -> None:
        """Add points to be sent."""
        self._points.add(points, size=self.batch_size)

    def send(self) -> int:
        """Send a batch of points; return how many are done with.

        Raises:
            Refused: If the store takes none of all that wait.
        """
        try:
            return self._points.advance()
        except TooSlow:
            self.batch_size = max(_SMALLEST_BATCH, self.batch_size // 2)
            self._points.resize(self.batch_size)
            raise

    @property
    def client_id(self) -> str:
        """The run's id on the client side."""
        return self._meta.run_id

    def put_file(self, path: str, content: bytes) -> None:
        """Store a file among the run's artifacts.

        Args:
            path: Its folder and name.
            content: Its bytes.

        Raises:
            Refused: If the store has not taken it for so long that it never will.
            RefusedForNow: Before, while it takes other things.
            Unavailable: If it takes nothing at all.
        """
        try:
            self._run_store.put_file(self._id, path, content)
        except (Refused, Unavailable) as error:
            self._check_points(error)
            if not self._gives_up_files and not isinstance(error, NoPlace):
                self._file_refusals.check(error)
            self._gives_up_files = True
            raise Refused(str(error)) from error
        self._file_refusals.forget()
        self._gives_up_files = False

    def file_size(self, path: str) -> int | None:
        """Return how many bytes a file among the run's artifacts has; ``None`` where nobody can tell."""
        with suppress(Refused, Unavailable):
            return self._run_store.file_size(self._id, path)
        return None

    def give_up(self, record: Mapping[str, Any], why: str) -> None:
        """Keep among the dead letters what the store does not take, and say so on the run."""
        self._letters.add(record, why)
        self._tell_refused(self._id)

    def heartbeat(self, time_ms: int) -> None:
        """Say that the trainer was alive at ``time_ms``."""
        with suppress(Refused):  # the points say the same a little later
            self._run_store.heartbeat(self._id, time_ms)

    def end(self, content: Mapping[str, Any], *, last_ms: int, damage: str = "") -> None:
        """End the run as the spool's last event says.

        Args:
            content: The event.
            last_ms: When the last point was logged.
            damage: What of the spool could not be read.
        """
        ending, misfit = ending_of(content, attempt=self._meta.attempt, last_ms=last_ms)
        if misfit is not None:
            self._letters.add(misfit.record, misfit.why)
        self._tell_refused(self._id)
        try:
            self._run_store.end_run(self._id, ending._replace(damage=damage))
        except Refused as error:
            self.refusals.check(error)
            self._letters.add({"event": "end", **ending._asdict()}, str(error))

    def _opened(self) -> str:
        header = run_header(self._meta)
        run = self._run_store.open_run(header.meta)
        for misfit in header.misfits:
            self._letters.add(misfit.record, misfit.why)
        describe, probe = (
            partial(self._run_store.describe, run),
            partial(self._run_store.describe, run, (self._told_id,)),
        )
        self._labels = BisectingQueue(describe, give_up=self._keep_refused, probe=probe, good=self._told_id)
        self._labels.add(header.labels, size=LABELS_A_CALL)
        self._points = BisectingQueue(
            partial(self._run_store.send, run), give_up=self._keep_refused, probe=probe
        )
        self._id = run
        return run

    def _check_points(self, error: Exception) -> None:
        """Tell a place of artifacts that is in trouble from a store that is: it then takes no tag either."""
        if isinstance(error, OtherVersion):
            raise error
        try:
            self._run_store.describe(self._id, (self._told_id,))
        except Refused:
            raise Unavailable(f"it refuses everything for now ({error}); nothing is given up") from error

    def _keep_refused(self, record: Scalar | Label, why: str) -> None:
        self._letters.add(record._asdict(), why)

    def _tell_refused(self, run: str) -> None:
        """Say on the run how much of it was refused."""
        count = self._letters.count
        if count != self._count_told:
            said = Label("tag", REFUSED, f"{count}; the last: {self._letters.last[:_REASON_LENGTH]}")
            with suppress(Refused):
                self._run_store.describe(run, (said,))
            self._count_told = count

"""A sweep: its cells trained side by side, what was finished before left alone."""

from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from uuid import uuid4

from grokscope.experiments.sweeps.cells.cell import Cell
from grokscope.experiments.sweeps.engine import Engine, Job, Outcome, Progress
from grokscope.experiments.sweeps.ledger import FINISHED, Claim, Ledger
from grokscope.experiments.sweeps.local import LocalEngine

_LOOK_SECONDS = 0.5
_ALL_SECONDS = 3600.0
_MOST_LOST = 3
"""Times that a cell's machine may be lost: one that takes more memory than there is loses each one."""
_KILLED = 137


def run_sweep(
    cells: Sequence[Cell],
    *,
    store: str,
    engine: Engine | None = None,
    ledger: Ledger | None = None,
    detector: str | None = None,
) -> Generator[Progress]:
    """Train every cell once; yield each one's progress as it comes, the last of it with its outcome.

    A cell that fails costs none of the others. One whose machine or process is lost is begun anew, as another
    attempt, ``_MOST_LOST`` in all. Leaving the iteration early ends what is still at work. Two
    sweeps with a ledger that have cells in common share them out: neither trains what the other does.

    Args:
        cells: What to train, in this order.
        store: MLflow tracking URI.
        engine: Where; processes on this machine, one a core, by default.
        ledger: What was trained before: its cells are not trained again, and what was broken off or has
            failed is withdrawn and begun anew. Without one, every cell is trained.
        detector: Watches each run of our experiments; see ``Job``.
    """
    sweep = _Sweep(cells, engine or LocalEngine(), ledger=ledger, store=store, detector=detector)
    try:
        yield from sweep.finished_before()
        while sweep.is_going_on():
            yield from sweep.begin()
            if (news := sweep.news()) is not None:
                yield news
    finally:
        sweep.stop()


class _Sweep:
    """What waits, what is at work, and what others hold."""

    def __init__(
        self,
        cells: Sequence[Cell],
        engine: Engine,
        *,
        ledger: Ledger | None,
        store: str,
        detector: str | None,
    ) -> None:
        self._waiting = deque(cells)
        self._held: deque[Cell] = deque()
        self._engine = engine
        self._ledger = ledger
        self._store = store
        self._detector = detector
        self._claims: dict[str, Claim | None] = {}
        self._lost: Counter[str] = Counter()

    def is_going_on(self) -> bool:
        return bool(self._waiting or self._held or self._claims)

    def finished_before(self) -> Iterator[Progress]:
        """Yield what need not be trained, first of all, so that what is left is known from the start."""
        if self._ledger is None:
            return
        cells, self._waiting = self._waiting, deque[Cell]()
        for cell in cells:
            if (run_id := self._ledger.finished(cell)) is None:
                self._waiting.append(cell)
            else:
                yield Progress(cell=cell, run_id=run_id, outcome=Outcome.EARLIER)

    def begin(self) -> Iterator[Progress]:
        """Start what there is room for; yield what was finished before, and what others hold."""
        looked_at = len(self._held)
        while self._engine.room > 0 and (self._waiting or looked_at):
            is_new = bool(self._waiting)
            cell = self._waiting.popleft() if is_new else self._held.popleft()
            looked_at -= not is_new
            if self._ledger is None:
                self._start(
                    Job(cell=cell, run_id=uuid4().hex, store=self._store, detector=self._detector), None
                )
            elif (claim := self._ledger.claim(cell)) is None:
                self._held.append(cell)
                if is_new:
                    yield Progress(cell=cell, run_id="", is_held=True)
            else:
                yield from self._begin_claimed(cell, claim)

    def news(self) -> Progress | None:
        """Wait for the next that a job tells; where all is held by others, or some is, not for long."""
        news = (
            self._engine.news(_LOOK_SECONDS if self._held else _ALL_SECONDS) if self.is_going_on() else None
        )
        if news is not None and news.is_lost:
            news = self._after_loss(news)
        if news is None or news.code is None:
            return news
        claim = self._claims.pop(news.run_id)
        if claim is None:
            return news
        # Here only the disks of other machines are not known.
        told = news.is_tracked if self._engine.is_elsewhere else None
        try:
            end = claim.end(news.code, is_tracked=told, is_on_its_way=news.is_on_its_way)
            is_finished = end == FINISHED
        finally:
            claim.release()
        return replace(news, outcome=Outcome.FINISHED if is_finished else Outcome.FAILED)

    def _after_loss(self, news: Progress) -> Progress:
        """Put a cell first in line again; where that has been done too often, return its failure."""
        self._lost[news.cell.identity] += 1
        if self._lost[news.cell.identity] >= _MOST_LOST:
            if (claim := self._claims.get(news.run_id)) is not None:
                claim.withdraw()
            why = f"its machine or process was lost {_MOST_LOST} times; it may have run out of memory"
            return replace(news, is_lost=False, outcome=Outcome.FAILED, code=_KILLED, error=why)
        if (claim := self._claims.pop(news.run_id)) is not None:
            claim.release()
        self._waiting.appendleft(news.cell)
        return news

    def stop(self) -> None:
        """End what is still at work; an attempt without an end was broken off."""
        self._engine.stop()
        for claim in filter(None, self._claims.values()):
            claim.release()

    def _begin_claimed(self, cell: Cell, claim: Claim) -> Iterator[Progress]:
        if claim.finished is not None:
            claim.release()
            yield Progress(cell=cell, run_id=claim.finished, outcome=Outcome.EARLIER)
            return
        attempt = claim.attempt
        try:
            run_id = claim.begin(is_elsewhere=self._engine.is_elsewhere)
        except OSError:
            claim.release()
            raise
        job = Job(cell=cell, run_id=run_id, store=self._store, attempt=attempt, detector=self._detector)
        self._start(job, claim)

    def _start(self, job: Job, claim: Claim | None) -> None:
        self._claims[job.run_id] = claim
        self._engine.start(job, record=None if claim is None else claim.fd)

"""One run that is followed: its detector, how far it was fed, and what stands of what it said."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter

import polars as pl

from grokscope.schemas import Transition
from grokscope.transitions.live.detector import LiveDetector, State
from grokscope.transitions.live.news import Change, News, differences, news_of

HASH = "hash"
"""Column that tells one point from another: a hash of its metric, step and value."""
_Mark = tuple[int, int | None]
"""How many points there are, and a hash of all: changes with any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run's detector has said so far.

    Attributes:
        state: Where the run stands.
        e_value: See ``LiveDetector.e_value``.
        standing: Events that were reported and not withdrawn.
        signals: Those raised.
    """

    state: State = State.NOT_YET
    e_value: float = 1.0
    standing: tuple[Transition, ...] = ()
    signals: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class _Position:
    """How far a run was fed: to a step, whose past had one mark and all points another."""

    fed_to: int | None = None
    past: _Mark = (0, None)
    whole: _Mark = (0, None)
    has_caught_up: bool = False

    def is_settled(self, rows: pl.DataFrame) -> bool:
        """Return whether there is nothing to do until points come."""
        is_fed = self.has_caught_up and self.fed_to == rows["step"].max()
        return is_fed and self.whole == _mark_of(rows)

    def ready(self, rows: pl.DataFrame, *, goes_on: bool) -> pl.DataFrame:
        """Return what may be fed now; the newest step of a run that grows has to wait."""
        new = rows if self.fed_to is None else rows.filter(pl.col("step") > self.fed_to)
        is_growing = goes_on and rows.height > 0 and _mark_of(rows) != self.whole
        return new.filter(pl.col("step") < rows["step"].max()) if is_growing else new

    def past_of(self, rows: pl.DataFrame) -> _Mark:
        """Return the mark of what lies no later than what was fed."""
        return (0, None) if self.fed_to is None else _mark_of(rows.filter(pl.col("step") <= self.fed_to))


class FollowedRun:
    """Feeds one run's detector with what is new in its points.

    Args:
        make: Makes the detector, and makes it anew when the run's past has changed.
    """

    def __init__(self, make: Callable[[], LiveDetector]) -> None:
        self.report = Report()
        self._make = make
        self._detector: LiveDetector | None = make()
        self._position = _Position()
        self._is_rewritten = False
        self._found_again: list[News] | None = None

    @property
    def has_caught_up(self) -> bool:
        """Whether all that may be fed has been fed."""
        return self._position.has_caught_up

    @property
    def has_detector(self) -> bool:
        """Whether the detector is kept; a run that has ended needs none."""
        return self._detector is not None

    def let_go(self) -> None:
        """Forget the detector; should the run move again, its history is read from the beginning."""
        self._detector = None

    def feed(self, rows: pl.DataFrame, *, goes_on: bool, most: int) -> tuple[list[News], int]:
        """Feed what is new; return what there is to say, and how many evaluations it took.

        Args:
            rows: All points of the run so far, one a metric and step, with their ``HASH``.
            goes_on: More is expected. Its newest step then waits until a second reading finds nothing new:
                the rest of its evaluation may still be on the way.
            most: Feed so many evaluations at most; the next call goes on from there.
        """
        position = self._position
        if position.is_settled(rows):
            return [], 0
        self._is_rewritten |= position.past_of(rows) != position.past
        if self._detector is None or (self._is_rewritten and position.has_caught_up):
            self._begin_anew()
        ready = position.ready(rows, goes_on=goes_on)
        found, fed = list[News](), 0
        for step, values in islice(evaluations(ready), most):
            found += self._fed(step, values)
            position.fed_to = step
            fed += 1
        position.has_caught_up = fed == ready["step"].n_unique()
        position.past = position.past_of(rows)
        if position.has_caught_up:
            position.whole = _mark_of(rows)
        return self._said(found, goes_on=goes_on), fed

    def _begin_anew(self) -> None:
        self._detector, self._found_again = self._make(), []
        self._position.fed_to, self._is_rewritten = None, False

    def _fed(self, step: int, values: Mapping[str, float]) -> list[News]:
        detector = self._detector = self._detector or self._make()
        standing, raised = detector.standing, detector.signals
        events = detector.update(step, values)
        signals = [
            News(
                run_id=detector.run_id,
                step=step,
                change=Change.SIGNAL,
                signal=name,
                finding=finding.removeprefix("pass: "),
            )
            for name, finding in detector.signals.items()
            if name not in raised and name != "evidence"
        ]
        return [*signals, *(news_of(event, step, standing=standing) for event in events)]

    def _said(self, found: list[News], *, goes_on: bool) -> list[News]:
        """Return what is worth saying; of a history that is read again nothing, until it is read whole."""
        if self._detector is None:
            return []
        if self._found_again is not None:
            self._found_again += found
            if not self.has_caught_up:
                return []
            found, self._found_again = self._differences(self._detector, self._found_again), None
        detector = self._detector
        self.report = Report(
            state=detector.state,
            e_value=detector.e_value,
            standing=detector.standing,
            signals=self.report.signals | detector.signals.keys(),
        )
        if self.has_caught_up and not goes_on:
            self.let_go()
        return found

    def _differences(self, detector: LiveDetector, found: list[News]) -> list[News]:
        signals = [news for news in found if news.signal and news.signal not in self.report.signals]
        changes = differences(
            found,
            before=self.report.standing,
            standing=detector.standing,
            step=self._position.fed_to or 0,
        )
        return [*signals, *changes]


def evaluations(points: pl.DataFrame) -> Iterator[tuple[int, Mapping[str, float]]]:
    """Yield (step, metric -> value) of one run's points, in order of step.

    >>> frame = pl.DataFrame({"step": [2, 1, 2], "metric": ["a", "a", "b"], "value": [3.0, 1.0, 4.0]})
    >>> list(evaluations(frame))
    [(1, {'a': 1.0}), (2, {'a': 3.0, 'b': 4.0})]
    """
    rows = points.sort("step", "metric").select("step", "metric", "value").iter_rows()
    for step, group in groupby(rows, key=itemgetter(0)):
        yield step, {metric: value for _, metric, value in group}


def _mark_of(rows: pl.DataFrame) -> _Mark:
    return rows.height, rows.select(pl.col(HASH).bitwise_xor()).item()

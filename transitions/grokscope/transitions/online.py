"""The live detector: fed one evaluation at a time, in bounded memory, with the engine's own vocabulary.

Two parts that do not trust each other. An e-process alarms early and bounds how often it does so for nothing;
it confirms nothing. What is confirmed comes from the engine itself, run on a summary of what was fed, at the
moments when a few counters say that its answer may have changed.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from grokscope.schemas import Kind, Status, Transition, Verdict
from grokscope.transitions import events
from grokscope.transitions.baseline import Baseline
from grokscope.transitions.definitions import NATIVE, definition_of
from grokscope.transitions.e_process import EProcess
from grokscope.transitions.levels import Levels
from grokscope.transitions.signals import Signals
from grokscope.transitions.summary import Summary
from grokscope.transitions.verdict import verdict_of

SCORES = ("information", "mrr", "accuracy")
"""Held-out quantities in [0, 1] that the e-process can bet on, the most specific first."""
CONFIRMABLE = frozenset({Kind.MEMORIZATION, Kind.GENERALIZATION, Kind.COLLAPSE})
"""Events that are confirmed live: those that the two accuracies tell."""
OFTEN, GROWTH = 8, 4
"""The engine is asked when an eighth of the evaluations is new at the earliest, a quarter at the latest."""


class State(StrEnum):
    """Where a live run stands on its way to generalization."""

    NOT_YET = "not yet"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    REGRESSED = "regressed"


class _Asked(NamedTuple):
    """When the engine was asked last, in evaluations, and whether a counter wants it asked again."""

    at: int = 0
    is_wanted: bool = False


class LiveDetector:
    """Watches one run; implements ``grokscope.schemas.OnlineDetector``.

    Early: once the training set is fit, the held-out score (information, else MRR, else accuracy) is watched
    for ``baseline.SETTLING`` evaluations, and m₀ is fixed for good: their mean plus ``margin``, or plus two
    standard deviations if that is more. From the next evaluation on an e-process bets that the score exceeds
    m₀. At 1/alpha the generalization is ``suspected``.

    What is promised: whatever happened until m₀ was fixed, if from then on the conditional expectation of the
    score (cut to 0..1), given all that was fed before, never exceeds m₀, then

        P(the run is ever suspected) ≤ alpha

    by Ville's inequality: over the whole run, at any length, under any dependence and stopping rule. What is
    not promised: anything about a score that creeps above m₀ by itself, or whose noise is so strongly
    autocorrelated that its past predicts values above m₀; about ``watch`` and ``alert``, which are rules of
    thumb; or about ``confirmed`` events, which follow the engine's rules.

    Sure: ``confirmed`` events are, to the digit, those of ``detect`` on everything fed so far. It is asked
    when a counter says that its answer may have changed (not before an eighth of the evaluations is new), and
    in any case when a quarter is new since the train fit: that is how late an event can be told.
    ``confirmed()`` asks now. From ``summary.CAPACITY`` evaluations on it is ``detect`` of a log thinned
    evenly in log step. Only the accuracies are kept: checks of ``evidence`` on other measures are unknown.

    Args:
        run_id: Of the transitions.
        alpha: Bound on the probability of a false suspicion, in (0, 1).
        margin: Distance from the level at the train fit that is of no interest, in the score's unit.
        baseline: Fixes m₀ = baseline + margin before the first evaluation, chance level say, instead.

    Raises:
        ValueError: If ``alpha`` is no rate.

    Cost: microseconds an update; milliseconds at those that ask the engine. Memory: two curves of at most
    ``summary.CAPACITY`` evaluations.

    >>> detector = LiveDetector()
    >>> for step in range(0, 4000, 100):
    ...     found = detector.update(
    ...         step, {"train/accuracy": float(step > 200), "test/accuracy": float(step > 2000)}
    ...     )
    ...     for event in found:
    ...         print(step, event.kind.value, event.status.value, event.low, event.high)
    400 memorization confirmed 200 300
    2200 generalization confirmed 2000 2100
    >>> detector.state.value
    'confirmed'
    """

    def __init__(
        self,
        run_id: str = "run",
        *,
        alpha: float = 0.01,
        margin: float = 0.05,
        baseline: float | None = None,
    ) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is a rate between 0 and 1, got {alpha}; 0.01 is usual")
        self.run_id = run_id
        self.alpha = alpha
        self.signals = Signals()
        self._baseline = Baseline(margin=margin, known=baseline)
        self._process: EProcess | None = None
        self._score: str | None = None
        self._split: str | None = None
        self._train, self._test = Summary("train/accuracy"), Summary("test/accuracy")
        self._levels = Levels()
        self._asked = _Asked()
        self._suspected: Transition | None = None
        self._last_quiet = self._last_step = -1
        self._seen = 0
        self._confirmed: dict[Kind, Transition] = {}

    @property
    def state(self) -> State:
        """Where the run stands."""
        if Kind.COLLAPSE in self._confirmed:
            return State.REGRESSED
        if Kind.GENERALIZATION in self._confirmed:
            return State.CONFIRMED
        return State.NOT_YET if self._suspected is None else State.SUSPECTED

    @property
    def status(self) -> Status | None:
        """The generalization's status; ``rejected`` once it is lost again, ``None`` while not in sight."""
        return {
            State.NOT_YET: None,
            State.SUSPECTED: Status.SUSPECTED,
            State.CONFIRMED: Status.CONFIRMED,
            State.REGRESSED: Status.REJECTED,
        }[self.state]

    @property
    def e_value(self) -> float:
        """The e-process, stopped at its alarm: an e-value at any moment, for ``e_bh``; 1 before it begins."""
        return 1.0 if self._process is None else self._process.value

    def confirmed(self) -> tuple[Transition, ...]:
        """Return what the engine confirms of everything fed so far, in order of step; costs milliseconds."""
        return tuple(event for event in self.verdict().transitions if _is_confirmed(event))

    def verdict(self) -> Verdict:
        """Return the engine's verdict on everything fed so far; costs milliseconds."""
        curves = {s.metric: s.curve() for s in (self._train, self._test) if len(s) > 0}
        return verdict_of(self.run_id, curves, definition_of(NATIVE))

    def update(self, step: int, values: Mapping[str, float]) -> tuple[Transition, ...]:
        """Take one evaluation; return the events that are new, or withdrawn (``rejected``).

        Args:
            step: Larger than all before; others are left out, as after a resume.
            values: Canonical key -> value. Held-out quantities of ``test``, or of ``val`` if the first
                evaluation that has any lacks ``test``; values that are not finite are left out.
        """
        if step <= self._last_step:
            return ()
        self._last_step = step
        self._seen += 1
        known = {key: value for key, value in values.items() if math.isfinite(value)}
        has_news = self._take(step, known)
        suspected = self._bet(step, known) if self._levels.is_fit or not self._levels.has_train else ()
        return suspected + (self._ask() if self._is_time(has_news=has_news) else ())

    def _take(self, step: int, values: Mapping[str, float]) -> bool:
        """Keep the accuracies; return whether the engine's answer may have changed."""
        train, has_news = values.get("train/accuracy"), False
        if self._split is None:
            self._split = next((s for s in ("test", "val") if _has_score(values, s)), None)
            self._test = Summary(f"{self._split or 'test'}/accuracy")
        if train is not None:
            self._train.append(step, train)
            has_news = self._levels.train(train)
        test = values.get(self._test.metric)
        if test is not None:
            self._test.append(step, test)
            has_news = self._levels.test(test) or has_news
        return has_news

    def _bet(self, step: int, values: Mapping[str, float]) -> tuple[Transition, ...]:
        if self._split is None or self._suspected is not None:
            return ()
        self.signals.update(step, values, split=self._split)
        if self._score is None:
            self._score = next((k for q in SCORES if (k := f"{self._split}/{q}") in values), None)
        score = None if self._score is None else values.get(self._score)
        if score is None or not self._is_betting(score):
            return ()
        return self._wager(step, score)

    def _is_betting(self, score: float) -> bool:
        """Return whether m₀ was fixed before this evaluation; else let it settle by this one."""
        if self._process is None and self._baseline.level is None:
            self._baseline.settle(score)
            return False
        if self._process is None and self._baseline.level is not None:
            self._process = EProcess(mean=self._baseline.level)
        return True

    def _wager(self, step: int, score: float) -> tuple[Transition, ...]:
        process = self._process
        if process is None:
            return ()
        if score <= process.mean:
            self._last_quiet = step
        if process.update(score) < 1 / self.alpha:
            return ()
        low = self._last_quiet if self._last_quiet >= 0 else min(0, step)
        alarm = f"pass: e-value {process.value:.3g} on {self._score}, which is 1/{self.alpha:g} or more"
        origin = events.Origin(run_id=self.run_id, definition="e-process")
        detail = events.Detail(
            before=process.mean, status=Status.SUSPECTED, evidence={"alarm": alarm, **self.signals.raised}
        )
        date = events.Date(step=step, low=low, high=step)
        self._suspected = origin.event(
            Kind.GENERALIZATION, self._score or self._test.metric, date, detail=detail
        )
        return (self._suspected,) if Kind.GENERALIZATION not in self._confirmed else ()

    def _is_time(self, *, has_news: bool) -> bool:
        since = self._seen - self._asked.at
        wanted = has_news or self._asked.is_wanted
        self._asked = self._asked._replace(is_wanted=wanted)
        is_fit_open = self._levels.is_fit and Kind.MEMORIZATION not in self._confirmed
        has_begun = is_fit_open or self.state is not State.NOT_YET
        is_in_doubt = has_begun and since * GROWTH >= self._seen
        return is_in_doubt or (wanted and since * OFTEN >= self._seen)

    def _ask(self) -> tuple[Transition, ...]:
        """Let the engine read the summary; return what it now says and no longer says."""
        self._asked = _Asked(at=self._seen)
        found = {event.kind: event for event in self.confirmed()}
        new = [event for kind, event in found.items() if kind not in self._confirmed]
        gone = [event for kind, event in self._confirmed.items() if kind not in found]
        self._confirmed = {kind: self._confirmed.get(kind, event) for kind, event in found.items()}
        return (*(events.withdrawn(event) for event in gone), *new)


def _has_score(values: Mapping[str, float], split: str) -> bool:
    return any(f"{split}/{quantity}" in values for quantity in SCORES)


def _is_confirmed(event: Transition) -> bool:
    return event.kind in CONFIRMABLE and event.status is Status.CONFIRMED

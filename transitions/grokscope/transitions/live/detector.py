"""The live detector: fed one evaluation at a time, in bounded memory, with the engine's own vocabulary.

Two independent parts. An e-process suspects early, and bounds how often it does so for nothing; it confirms
nothing. What is confirmed comes from the engine itself, run on the history of what was fed: when a few
counters say that its answer may have changed, and whenever the log has grown by half.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum

from grokscope.schemas import KINDS_GAINED, KINDS_LOST, Kind, Pattern, Status, Transition, Verdict
from grokscope.transitions.events import records as events
from grokscope.transitions.live.history import History
from grokscope.transitions.live.shares import Shares
from grokscope.transitions.live.suspicion import Suspicion
from grokscope.transitions.live.triggers import Triggers
from grokscope.transitions.verdict.detection import detect

NEWS = 8
"""A counter's news makes the engine run once an eighth of the evaluations is new."""
GROWTH = 1.5
"""It runs anyway when the log has grown by this factor: what no counter sees is reported no later."""
PATIENCE = 2
"""A suspicion is dropped if the log has grown by this factor and the engine sees no rise."""
_FIRST = 4


class State(StrEnum):
    """Where a live run stands on its way to generalization, or to its phase change if it logs losses only."""

    NOT_YET = "not yet"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    REGRESSED = "regressed"


_STATUSES: Mapping[State, Status | None] = {
    State.NOT_YET: None,
    State.SUSPECTED: Status.SUSPECTED,
    State.CONFIRMED: Status.CONFIRMED,
    State.REGRESSED: Status.REJECTED,
}


class LiveDetector:
    """Watches one run; implements ``grokscope.schemas.OnlineDetector``.

    Early: once the training set is fit, an e-process bets that the held-out score (calibrated information,
    else MRR, else accuracy) exceeds the level m_t: the mean of all scores since the fit and before evaluation
    t, each cut at its own level, plus ``margin``, or plus 2.5 standard deviations if that is more. The first
    ``baseline.SETTLING`` scores only set the level. At 1/alpha the generalization is ``suspected``, once; the
    suspicion is withdrawn if the log is ``PATIENCE`` times as long and the engine still sees no rise.

    What is promised: if the conditional expectation of the score (cut to 0..1), given all that was fed
    before, never exceeds m_t, then

        P(the run is ever suspected) ≤ alpha

    by Ville's inequality: over the whole run, at any length, under any distribution, dependence and stopping
    rule. What is not promised: anything about a score whose past predicts that it exceeds m_t, because it
    rises by itself, wanders far and slowly, or scores so few examples that the first scores say little about
    their mean (how often such noise is suspected is measured in ``docs/benchmarks.md``); about ``watch`` and
    ``alert``, which are rules of thumb; or about ``confirmed`` events, which follow the engine's rules.

    Sure: at every moment ``confirmed()`` gives the confirmed events of ``detect`` on all points fed so far,
    to the digit and of every kind, while ``is_exact``: until a curve exceeds ``history.CAPACITY``
    evaluations, all together ``history.ROOM``, the run 512 curves that the engine reads, or a step comes
    after a later one. From then on it is ``detect`` of a log thinned evenly in log step, and ``verdict`` says
    how many curves are not followed. ``update`` reports what is new in that answer whenever the engine runs,
    and withdraws what it no longer holds (phase changes of the training set's own curves are left to
    memorization where train accuracy is logged). The engine runs when a counter says that a level was reached
    or lost, though not before an eighth of the evaluations is new; and in any case when the log has grown by
    half. So every event that it confirms is reported before the log is half as long again (and two
    evaluations, at its very beginning).

    Args:
        run_id: Of the transitions.
        alpha: Bound on the probability of a false suspicion, in (0, 1).
        margin: Distance from the mean that is of no interest, in the score's unit.
        baseline: Fixes m_t = baseline + margin for good instead, from the chance level say.

    Raises:
        ValueError: If ``alpha`` is no rate.

    Cost: microseconds an update; milliseconds at those few that run the engine, whose number grows with the
    logarithm of the log's length. Memory: O(1), at most 2 MiB, see ``History``. It can be pickled, with a
    checkpoint say, and goes on from there.

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
        self._suspicion = Suspicion(run_id, alpha=alpha, margin=margin, baseline=baseline)
        self._history = History()
        self._shares = Shares()
        self._triggers = Triggers()
        self._reported: list[Transition] = []
        self._suspected: tuple[int, Transition] | None = None
        self._last_step: int | None = None
        self._last_seen: int | None = None
        self._seen = self._last_checked = 0
        self._needs_check = False

    @property
    def state(self) -> State:
        """Where the run stands."""
        kinds = {event.kind for event in self._reported}
        if kinds & KINDS_LOST:
            return State.REGRESSED
        if kinds & KINDS_GAINED:
            return State.CONFIRMED
        return State.NOT_YET if self._suspected is None else State.SUSPECTED

    @property
    def status(self) -> Status | None:
        """The generalization's status; ``rejected`` once it is lost again, ``None`` while not in sight."""
        return _STATUSES[self.state]

    @property
    def standing(self) -> tuple[Transition, ...]:
        """The events that ``update`` has reported and not withdrawn."""
        is_led = any(event.kind is Kind.GENERALIZATION for event in self._reported)
        doubt = () if is_led or self._suspected is None else (self._suspected[1],)
        return (*self._reported, *doubt)

    @property
    def signals(self) -> Mapping[str, str]:
        """Signal -> what was seen, of those raised.

        ``watch``: held-out loss fell; ``alert``: mean reciprocal rank lifted; ``evidence``: the
        e-process reached 1/alpha. Only the last one bounds its errors.
        """
        return {name: check.text for name, check in self._suspicion.signals.raised.items()}

    @property
    def e_value(self) -> float:
        """The e-process as it stands: an e-value at any moment, for ``e_bh``; 1 before it begins."""
        return self._suspicion.e_value

    @property
    def is_exact(self) -> bool:
        """The history holds all that the engine reads: nothing has been thinned or left out yet."""
        return self._history.is_whole

    def confirmed(self) -> tuple[Transition, ...]:
        """Return what the engine confirms of everything fed so far, in order of step; costs milliseconds."""
        return _confirmed(self.verdict())

    def verdict(self) -> Verdict:
        """Return the engine's verdict on everything fed so far; costs milliseconds."""
        found = detect(self._history.frame(self.run_id))
        verdict = found[0] if found else Verdict(run=self.run_id, pattern=Pattern.OTHER)
        if not self._history.left_out:
            return verdict
        unseen = f"{self._history.left_out} more scores and losses are logged than are followed live."
        return replace(verdict, missing=(*verdict.missing, unseen))

    def update(self, step: int, values: Mapping[str, float]) -> tuple[Transition, ...]:
        """Take one evaluation; return the events that are new, or withdrawn (``rejected``).

        An event whose date has moved out of the interval that was reported is reported again.

        Args:
            step: That of the last evaluation, for more of it, or a larger one; others are left out, as after
                a resume, and what is confirmed is not exact any more.
            values: Metric -> value, under any name that ``detect`` understands; what it does not read costs
                nothing. Held-out are those of ``test``, or of ``val`` if the first evaluation that has any
                lacks ``test``.
        """
        if self._last_step is not None and step < self._last_step:
            self._history.pass_over(values)
            return ()
        self._last_step = step
        new = self._history.append(step, values)
        if not new:
            return ()
        self._seen += step != self._last_seen
        self._last_seen = step
        known, is_other_unit = self._shares.read(new, self._history)
        if is_other_unit:
            self._begin_units_anew()
        self._suspicion.choose_split(known)
        reported = {event.kind for event in self._reported}
        has_news = self._triggers.update(known, test=self._suspicion.held_out, reported=reported)
        suspicion = self._suspected_now(step, known, reported)
        return (*suspicion, *(self._check() if self._is_due(has_news=has_news) else ()))

    def _suspected_now(
        self, step: int, values: Mapping[str, float], reported: Collection[Kind]
    ) -> tuple[Transition, ...]:
        is_waiting = self._triggers.is_fit or not self._triggers.has_train
        raised = self._suspicion.update(step, values) if is_waiting else None
        if raised is None or Kind.GENERALIZATION in reported:
            return ()
        self._suspected = (self._seen, raised)
        return (raised,)

    def _begin_units_anew(self) -> None:
        self._triggers = Triggers()
        self._suspicion.start_again()

    def _is_due(self, *, has_news: bool) -> bool:
        self._needs_check = self._needs_check or has_news
        if self._needs_check and (self._seen - self._last_checked) * NEWS >= self._seen:
            return True
        return self._seen >= GROWTH * max(self._last_checked, _FIRST)

    def _check(self) -> tuple[Transition, ...]:
        """Run the engine on the history; return what it now says and no longer says."""
        verdict = self.verdict()
        if self._shares.ask(self._history):
            self._begin_units_anew()
        found = [event for event in _confirmed(verdict) if self._is_worth_reporting(event)]
        new = [event for event in found if not any(_is_same(event, old) for old in self._reported)]
        kept = [old for old in self._reported if any(_is_same(event, old) for event in found)]
        moved = {event.kind for event in new} - {Kind.PHASE_CHANGE}  # of which there can be several
        gone = [events.withdrawn(e) for e in self._reported if e not in kept and e.kind not in moved]
        gone += [events.withdrawn(e) for e in self._dropped(verdict)]
        self._last_checked, self._needs_check, self._reported = self._seen, False, [*kept, *new]
        return (*gone, *new)

    def _dropped(self, verdict: Verdict) -> list[Transition]:
        """Drop a suspicion that led to nothing, not even to a rise in progress, in twice its evaluations."""
        if self._suspected is None:
            return []
        since, suspicion = self._suspected
        has_led = any(event.kind is Kind.GENERALIZATION for event in verdict.transitions)
        if has_led or self._seen < PATIENCE * since:
            return []
        self._suspected = None
        return [suspicion]

    def _is_worth_reporting(self, event: Transition) -> bool:
        """Leave out the abrupt rise of the training set itself: that is memorization under way."""
        is_own = event.kind is Kind.PHASE_CHANGE and event.metric.startswith("train/")
        return not (is_own and self._triggers.has_train)


def _confirmed(verdict: Verdict) -> tuple[Transition, ...]:
    return tuple(event for event in verdict.transitions if event.status is Status.CONFIRMED)


def _is_same(one: Transition, other: Transition) -> bool:
    return one.kind is other.kind and one.low <= other.high and other.low <= one.high

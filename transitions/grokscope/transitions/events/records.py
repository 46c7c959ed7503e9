"""Events: what was found in a run, as transitions of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from grokscope.schemas import Date, Kind, Status, Transition
from grokscope.transitions.events.collapse import Collapse
from grokscope.transitions.events.divergence import Divergence
from grokscope.transitions.events.double_descent import DoubleDescent
from grokscope.transitions.events.excursions import Excursion
from grokscope.transitions.events.generalization import Rise
from grokscope.transitions.events.memorization import MEMORIZED, Fit
from grokscope.transitions.events.phase_change import PhaseChange
from grokscope.transitions.verdict.checks import passed

DETECTOR = "grokscope"
VERSION = version(DETECTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What every event of a run shares: the run, and the rule that its dates follow."""

    run_id: str
    definition: str

    def event(self, kind: Kind, metric: str, date: Date, *, detail: "Detail") -> Transition:
        """Return one transition of this run."""
        return Transition(
            run_id=self.run_id,
            metric=metric,
            kind=kind,
            step=date.step,
            low=date.low,
            high=date.high,
            onset=detail.onset,
            midpoint=detail.midpoint,
            completion=detail.completion,
            before=detail.before,
            after=detail.after,
            status=detail.status,
            evidence=detail.evidence,
            definition=self.definition,
            detector=DETECTOR,
            version=VERSION,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The optional parts of a transition."""

    onset: Date | None = None
    midpoint: Date | None = None
    completion: Date | None = None
    before: float | None = None
    after: float | None = None
    status: Status = Status.CONFIRMED
    evidence: Mapping[str, str] = field(default_factory=dict[str, str])


def memorization(origin: Origin, metric: str, fit: Fit) -> Transition | None:
    """Return the event of memorization, dated where train accuracy comes to stay; ``None`` if never."""
    if fit.memorized is None:
        return None
    return origin.event(Kind.MEMORIZATION, metric, fit.memorized, detail=Detail(after=MEMORIZED))


def generalization(
    origin: Origin, metric: str, rise: Rise, *, date: Date | None, evidence: Mapping[str, str]
) -> Transition | None:
    """Return the event of ``rise``; ``None`` if its definition gives no date, as before the log's begin."""
    if date is None:
        return None
    detail = Detail(
        onset=rise.onset,
        midpoint=rise.midpoint,
        completion=rise.completed,
        before=rise.plateau,
        after=rise.top,
        status=Status.CONFIRMED if rise.is_settled else Status.IN_PROGRESS,
        evidence=evidence,
    )
    return origin.event(Kind.GENERALIZATION, metric, date, detail=detail)


def collapse(origin: Origin, found: Collapse) -> Transition:
    """Return the event of a collapse, dated where it begins."""
    detail = Detail(before=found.before, after=found.after, evidence={found.kind: found.finding})
    return origin.event(Kind.COLLAPSE, found.metric, found.date, detail=detail)


def slingshot(origin: Origin, found: Excursion) -> Transition:
    """Return the event of repeated slingshots, dated at the first."""
    detail = Detail(before=found.low, after=found.end, evidence={"cycles": passed(found.finding)})
    return origin.event(Kind.SLINGSHOT, found.metric, found.date, detail=detail)


def recovery(origin: Origin, found: Excursion) -> Transition:
    """Return the event of a recovery, dated where the level comes to stay again."""
    detail = Detail(before=found.low, after=found.end, evidence={"back": passed(found.finding)})
    return origin.event(Kind.RECOVERY, found.metric, found.date, detail=detail)


def descent(origin: Origin, found: DoubleDescent) -> Transition:
    """Return the event of an epoch-wise double descent, dated at the peak between its valleys."""
    told = passed(f"{found.valley:.2f} up to {found.peak:.2f}, then down to {found.end:.2f}")
    detail = Detail(before=found.valley, after=found.end, evidence={"two valleys": told})
    return origin.event(Kind.DOUBLE_DESCENT, found.metric, found.date, detail=detail)


def divergence(origin: Origin, found: Divergence) -> Transition:
    """Return the event of a divergence, dated at the first value that is no number."""
    detail = Detail(before=found.before, evidence={"not a number": "from there to the end of the log"})
    return origin.event(Kind.DIVERGENCE, found.metric, found.date, detail=detail)


def withdrawn(event: Transition) -> Transition:
    """Return ``event`` as one that no longer stands."""
    return replace(event, status=Status.REJECTED)


def phase_change(origin: Origin, found: PhaseChange) -> Transition:
    """Return the event of a phase change, dated where it begins."""
    detail = Detail(
        onset=found.onset,
        midpoint=found.midpoint,
        before=found.before,
        after=found.after,
        evidence=found.evidence,
    )
    return origin.event(Kind.PHASE_CHANGE, found.metric, found.onset, detail=detail)

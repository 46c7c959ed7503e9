"""What all events share: the run and the rule that they are dated by, and their form in the contract."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from grokscope.schemas import Check, Date, Kind, Status, Transition

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
    evidence: Sequence[Check] = ()


def withdrawn(event: Transition) -> Transition:
    """Return ``event`` as one that no longer stands."""
    return replace(event, status=Status.REJECTED)

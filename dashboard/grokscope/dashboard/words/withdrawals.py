"""Why an event that was told while a run trained no longer holds: what stands instead."""

from grokscope.dashboard.words.patterns import headline_of
from grokscope.schemas import Kind, Transition, Verdict
from grokscope.transitions.live.suspicion import E_PROCESS


def why_withdrawn(event: Transition, *, finding: str = "", verdict: Verdict | None = None) -> str:
    """Return why ``event`` was withdrawn, as a clause without a full stop.

    Args:
        event: As it was told.
        finding: What the detector said of the withdrawal, if anything.
        verdict: On all points that are known now.

    >>> rise = Transition(run_id="r", metric="test/f1", kind=Kind.GENERALIZATION, step=5, low=4, high=5)
    >>> why_withdrawn(rise)
    'by the longer log it is none'
    """
    if finding:
        return finding
    if event.definition == E_PROCESS:
        return "no rise has followed"
    if verdict is None:
        return "by the longer log it is none"
    reason = _reason(event, verdict)
    if reason:
        return reason
    term, _, word = headline_of(verdict).partition(" ")
    return f"the run now reads as {term.lower()} {word}"


def _reason(event: Transition, verdict: Verdict) -> str | None:
    """Return what the verdict says of the event's curve: another date, a loss, or what it could not tell."""
    others = [other for other in verdict.transitions if other.metric == event.metric]
    same = next((other for other in others if other.kind is event.kind), None)
    if same is not None:
        return f"it is now dated at step {same.step:,}"
    if event.kind is not Kind.COLLAPSE:
        lost = next((other for other in others if other.kind in (Kind.COLLAPSE, Kind.OVERFITTING)), None)
        if lost is not None:
            return f"{lost.kind.word} of {lost.metric} at step {lost.step:,} stands instead"
    missing = [*verdict.missing, *(said for outcome in verdict.outcomes for said in outcome.missing)]
    said = next((sentence for sentence in missing if event.metric in sentence), None)
    return said.rstrip(".") if said is not None else None

"""Runs in training under live detectors: each fed only what is new, and never trusted against the verdict.

A suspicion comes from the detector, with its bound on false alarms; a confirmation only from the verdict on
everything that was read. So what a page flashes is either bounded or what the engine itself says.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import CHANGES, Snapshot, Watch
from grokscope.schemas import KINDS_GAINED, Pattern, Status, Transition, Verdict
from grokscope.transitions import LiveDetector, State, e_bh

ALPHA = 0.01
"""Bound on the probability that a run which does not generalize is ever suspected."""

RATE = 0.05
"""Bound on the share of false discoveries among the runs that ``Watch.discovered`` names."""

FEW = 5
"""Runs below which a bound on each says enough; with more, false alarms over all of them are bounded too."""

_BUDGET_S = 0.3


@dataclass(slots=True)
class _Watched:
    detector: LiveDetector
    fed_to: int = -1
    has_caught_up: bool = False
    told: list[tuple[int, Transition]] = field(default_factory=list[tuple[int, Transition]])


class Watcher:
    """Live detectors by run; not safe for several threads by itself.

    Args:
        clock: Seconds, for the bound on the time that one look may take: a log that was long before anybody
            looked is read over several looks.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def look(self, snapshot: Snapshot) -> Watch:
        """Feed what is new in ``snapshot``; return where its runs stand and what changed."""
        training = snapshot.runs.filter(pl.col("status") == "RUNNING")["run_id"].to_list()
        alive = set(snapshot.runs["run_id"])
        self._watched = {run: seen for run, seen in self._watched.items() if run in alive}
        self._feed(snapshot, training)
        states = {
            run: standing(snapshot.verdicts.get(run), seen.detector)
            for run in training
            if (seen := self._watched.get(run)) is not None and seen.has_caught_up
        }
        e_values = {run: self._watched[run].detector.e_value for run in states}
        found = tuple(e_bh(e_values, RATE)) if len(e_values) >= FEW else ()
        return Watch(states=states, changes=self._changes(snapshot), discovered=found)

    def _feed(self, snapshot: Snapshot, training: list[str]) -> None:
        still = set(phases.active(snapshot.runs)["run_id"])
        if not training:
            return
        marks = [(run, self._seen(run).fed_to) for run in training]
        fed = pl.DataFrame(marks, schema={"run_id": pl.String(), "fed": pl.Int64()}, orient="row")
        mine = snapshot.curves.filter(~pl.col("metric").str.starts_with("progress/"))
        new = mine.join(fed, on="run_id", how="inner").filter(pl.col("step") > pl.col("fed"))
        parts = new.sort("step").partition_by("run_id", as_dict=True, include_key=False)
        # From here on: with the sorting counted in, a large store on a busy machine would never get further.
        until = self._clock() + _BUDGET_S
        for run in training:
            seen, rows = self._watched[run], parts.get((run,))
            if rows is None or self._clock() > until:
                seen.has_caught_up = rows is None
                continue
            # The newest evaluation of a run that goes on may be half delivered: it waits for the next one.
            whole = _evaluations(rows, leave_last=run in still)
            seen.has_caught_up = self._catch_up(seen, whole, until)

    def _catch_up(self, seen: _Watched, evaluations: Mapping[int, dict[str, float]], until: float) -> bool:
        for step, values in evaluations.items():
            if self._clock() > until:
                return False
            events = seen.detector.update(step, values)
            seen.fed_to = step
            seen.told += [(step, event) for event in events]
        return True

    def _seen(self, run: str) -> _Watched:
        if run not in self._watched:
            self._watched[run] = _Watched(LiveDetector(run, alpha=ALPHA))
        return self._watched[run]

    def _changes(self, snapshot: Snapshot) -> pl.DataFrame:
        rows = [
            (run, event.kind.value, event.status.value, event.step, event.low, event.high, at)
            for run in snapshot.runs["run_id"]
            for at, event in self._events(run, snapshot.verdicts.get(run))
        ]
        schema = {name: CHANGES[name] for name in ("run_id", "kind", "status", "step", "low", "high")}
        frame = pl.DataFrame(rows, schema={**schema, "at": pl.Int64()}, orient="row")
        here = snapshot.curves.join(frame, on="run_id", how="semi")
        times = here.group_by("run_id", pl.col("step").alias("at")).agg(pl.col("time_ms").max())
        labels = snapshot.runs.select("run_id", pl.col("label").alias("run"))
        return (
            frame.join(times, on=["run_id", "at"], how="left")
            .join(labels, on="run_id", how="left")
            .sort("time_ms", "at", "run", descending=[True, True, False], nulls_last=True)
            .select(CHANGES.names())
        )

    def _events(self, run: str, verdict: Verdict | None) -> list[tuple[int, Transition]]:
        """Return the run's events, each with the step of the evaluation that showed it."""
        told = self._watched[run].told if run in self._watched else []
        sure = [event for event in verdict.transitions if event.status is Status.CONFIRMED] if verdict else []
        dated = [(_shown_at(event, told), event) for event in sure]
        gained = min((at for at, event in dated if event.kind in KINDS_GAINED), default=None)
        doubts = [(at, e) for at, e in told if e.status is Status.SUSPECTED or _is_withdrawn(e)]
        return [*dated, *((at, event) for at, event in doubts if gained is None or at < gained)]


def standing(verdict: Verdict | None, detector: LiveDetector) -> State:
    """Return where a run stands: confirmed and regressed by the verdict, suspected by the detector.

    What the detector calls confirmed and the verdict on all points does not is suspected at most.
    """
    if verdict is not None and verdict.pattern is Pattern.COLLAPSE:
        return State.REGRESSED
    events = verdict.transitions if verdict is not None else ()
    if any(e.kind in KINDS_GAINED and e.status is Status.CONFIRMED for e in events):
        return State.CONFIRMED
    return State.NOT_YET if detector.state is State.NOT_YET else State.SUSPECTED


def _shown_at(event: Transition, told: Sequence[tuple[int, Transition]]) -> int:
    """Return when an event was sure: when the detector told it, else when its change was done."""
    first = next((at for at, e in told if e.kind is event.kind and e.status is Status.CONFIRMED), None)
    done = event.high if event.completion is None else event.completion.high
    return done if first is None else max(first, event.low)


def _is_withdrawn(event: Transition) -> bool:
    return event.status is Status.REJECTED and event.definition == "e-process"


def _evaluations(rows: pl.DataFrame, *, leave_last: bool) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for step, metric, value in rows.select("step", "metric", "value").iter_rows():
        found.setdefault(step, {})[metric] = value
    if leave_last and found:
        del found[max(found)]
    return found

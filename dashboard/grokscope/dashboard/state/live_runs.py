"""Runs in training as the app shows them: suspected by their detectors, confirmed by their verdicts.

A suspicion comes from the detector, with its bound on false alarms; a confirmation only from the verdict on
everything that was read. So what a page shows is either bounded or what the engine itself says.
"""

from collections.abc import Sequence
from threading import Lock

import polars as pl

from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import CHANGES, LiveStatus, Snapshot
from grokscope.dashboard.words.withdrawals import why_withdrawn
from grokscope.schemas import KINDS_GAINED, Pattern, Status, Transition, Verdict
from grokscope.schemas.verdicts.reviewed import is_no_generalization, reviewed_event
from grokscope.transitions import State
from grokscope.transitions.live.feed import LiveFeed
from grokscope.transitions.live.news import Change, News, is_one
from grokscope.transitions.live.suspicion import E_PROCESS

MOST_EVALUATIONS = 500
"""Evaluations that one look feeds at most, up to half a second where they are of many short logs: what was
long before anybody looked is read over several looks."""

_MOST_NEWS = 64


class LiveRuns:
    """Follows the runs of one experiment that train; safe to use from several threads.

    Attributes:
        said: By run id, what its detector has said of events, the latest last; of many, the last ones.

    Args:
        most: See ``MOST_EVALUATIONS``.
    """

    def __init__(self, *, most: int = MOST_EVALUATIONS) -> None:
        self.said: dict[str, list[News]] = {}
        self._feed = LiveFeed()
        self._most = most
        self._taken_ms = -1
        self._lock = Lock()

    def look(self, snapshot: Snapshot) -> LiveStatus:
        """Feed what is new in ``snapshot``; return where its runs stand and what changed."""
        with self._lock:
            self._update(snapshot)
            training: list[str] = snapshot.runs.filter(pl.col("status") == "RUNNING")["run_id"].to_list()
            states = {
                run: standing(snapshot.verdicts.get(run), state)
                for run in training
                if (state := self._feed.states.get(run)) is not None
            }
            return LiveStatus(
                states=states,
                changes=self._changes(snapshot),
                followed=len(self._feed.reports),
                discovered=tuple(run for run in self._feed.discovered if not _is_denied(snapshot, run)),
            )

    def _update(self, snapshot: Snapshot) -> None:
        """Feed a snapshot that is newer than the last one, or that one until it is fed whole."""
        reports = self._feed.reports
        has_caught_up = len(self._feed.states) == len(reports)
        is_newer = snapshot.taken_ms > self._taken_ms
        if snapshot.taken_ms < self._taken_ms or not (is_newer or not has_caught_up):
            return
        self._taken_ms = snapshot.taken_ms
        active = set(phases.active(snapshot.runs)["run_id"])
        followed = {
            run: run in active
            for run, status in snapshot.runs.select("run_id", "status").iter_rows()
            if status == "RUNNING" or run in reports
        }
        # As logged: in which unit a young log is kept may turn out only later, and detectors turn with it.
        curves = snapshot.curves if snapshot.logged is None else snapshot.logged
        names = {name: name for name in curves["metric"].unique()}
        news = self._feed.update(curves, runs=followed, names=names, most=self._most)
        said = {run: self.said.get(run, []) for run in followed}
        for one in news:
            if one.event is not None:
                said[one.run_id].append(one)
        self.said = {run: news[-_MOST_NEWS:] for run, news in said.items()}

    def _changes(self, snapshot: Snapshot) -> pl.DataFrame:
        rows = [
            (run, e.metric, e.kind.value, e.status.value, e.step, e.low, e.high, at, why)
            for run in snapshot.runs["run_id"]
            for at, e, why in _events(snapshot.verdicts.get(run), self.said.get(run, ()))
        ]
        own = [name for name in CHANGES if name not in ("run", "time_ms")]
        frame = pl.DataFrame(rows, schema={name: CHANGES[name] for name in own}, orient="row")
        here = snapshot.curves.join(frame, on="run_id", how="semi")
        times = here.group_by("run_id", pl.col("step").alias("at")).agg(pl.col("time_ms").max())
        labels = snapshot.runs.select("run_id", pl.col("label").alias("run"))
        return (
            frame.join(times, on=["run_id", "at"], how="left")
            .join(labels, on="run_id", how="left")
            .sort("time_ms", "at", "run", descending=[True, True, False], nulls_last=True)
            .select(CHANGES.names())
        )


def _is_denied(snapshot: Snapshot, run: str) -> bool:
    verdict = snapshot.verdicts.get(run)
    return verdict is not None and is_no_generalization(verdict.reviews)


def standing(verdict: Verdict | None, state: State) -> State:
    """Return where a run stands: confirmed and regressed by the verdict, suspected by the detector.

    What the detector calls confirmed and the verdict on all points does not is suspected at most; what a
    person said to be none is not even that.
    """
    if verdict is not None and verdict.pattern is Pattern.COLLAPSE:
        return State.REGRESSED
    if verdict is not None and is_no_generalization(verdict.reviews):
        return State.NOT_YET
    events = verdict.transitions if verdict is not None else ()
    if any(e.kind in KINDS_GAINED and e.status is Status.CONFIRMED for e in events):
        return State.CONFIRMED
    return State.NOT_YET if state is State.NOT_YET else State.SUSPECTED


def _events(verdict: Verdict | None, said: Sequence[News]) -> list[tuple[int, Transition, str]]:
    """Return a run's events, each with the step that showed it and why it was withdrawn.

    Reviews are in the verdict already; a doubt about an event that a person decided about is none any more.
    """
    reviews = verdict.reviews if verdict is not None else ()
    sure = [e for e in verdict.transitions if e.status is Status.CONFIRMED] if verdict is not None else []
    dated = [(_shown_at(event, said), event) for event in sure]
    gained = min((at for at, event in dated if event.kind in KINDS_GAINED), default=None)
    doubts = [
        (news.step, news.event, _why(news, verdict))
        for news in said
        if news.event is not None
        and (news.change is Change.WITHDRAWN or _is_suspected(news.event))
        and reviewed_event(news.event, reviews) is news.event
    ]
    open_ones = [one for one in doubts if not _is_settled(one[1], one[0], sure, gained=gained)]
    return [*((at, event, "") for at, event in dated), *open_ones]


def _why(news: News, verdict: Verdict | None) -> str:
    if news.event is None or news.change is not Change.WITHDRAWN:
        return ""
    return why_withdrawn(news.event, finding=news.finding, verdict=verdict)


def _is_settled(event: Transition, at: int, sure: Sequence[Transition], *, gained: int | None) -> bool:
    """Return whether a doubt needs no mention: the event stands; of a suspicion, a gain was sure by then."""
    if event.definition == E_PROCESS:
        return gained is not None and at >= gained
    return any(is_one(event, other) for other in sure)


def _is_suspected(event: Transition) -> bool:
    return event.status is Status.SUSPECTED


def _shown_at(event: Transition, said: Sequence[News]) -> int:
    """Return when an event was sure: when the detector reported it, else when its change was done."""
    first = next(
        (
            news.step
            for news in said
            if news.event is not None and news.event.status is Status.CONFIRMED and is_one(event, news.event)
        ),
        None,
    )
    done = event.high if event.completion is None else event.completion.high
    return done if first is None else max(first, event.low)

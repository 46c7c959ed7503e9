"""One run: what it did, in words and in curves that share their steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.component.chart import IN_ADDRESS, note
from grokscope.dashboard.component.chart_data import axis_of, said_of_steps
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.state.phases import phase_of
from grokscope.dashboard.tables.runs.overview import status_of
from grokscope.dashboard.tables.training_ends import Ends, training_ends
from grokscope.dashboard.views.run import facts as run_facts
from grokscope.dashboard.views.run.artifacts import artifacts_section
from grokscope.dashboard.views.run.chart_review import ChartReview
from grokscope.dashboard.views.run.layers import layers_section
from grokscope.dashboard.views.run.measures import leads_section, segments_section
from grokscope.dashboard.views.run.outcomes import outcomes
from grokscope.dashboard.views.run.panels import panels
from grokscope.dashboard.views.run.raw_points import raw_points_section
from grokscope.dashboard.views.run.review import review
from grokscope.dashboard.views.run.setup import setup_section
from grokscope.dashboard.views.run.snapshots import snapshots_section
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.patterns import PATTERN_WORDS, headline_of
from grokscope.dashboard.words.sentences import sentence
from grokscope.schemas import Decision, Kind, Verdict
from grokscope.schemas.runs.groups import UNGROUPED
from grokscope.schemas.tags import NOTE

_NO_CURVE = "No curve of this run has been logged yet."
_NONE_READ = (
    "None of this run's curves is read as a score or loss of a training or held-out set. "
    "The page Runs shows what each name is read as, and lets you change it."
)
_MOST_WITHDRAWN = 5
_LONGEST = 1000
"""Of what is said of a run."""


def render(data: Data) -> None:
    """Draw the selected run, or the newest."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run_head"):
        run_id = _picked(data, snapshot)
        run = snapshot.runs.row(by_predicate=pl.col("run_id") == run_id, named=True)
        _state(run)
    verdict = snapshot.verdicts.get(run_id)
    raw = data.source.points([run_id])
    _verdict(verdict, raw)
    note(said_of_steps(snapshot, [run_id]))
    tags = data.source.tags(run_id)
    run_facts.losses(tags)
    if verdict is not None:
        thousandths = run_id in snapshot.in_thousandths
        review(data, verdict, note_on_run=tags.get(NOTE, ""), in_thousandths=thousandths)
        if run["status"] == "RUNNING":
            _withdrawn(data.source.live(snapshot).changes.filter(run_id=run_id))
        outcomes(verdict)
    _SECTIONS.get(_section() or _CURVES, _curves)(_Run(data=data, snapshot=snapshot, run=run, raw=raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What a section of the page is drawn from."""

    data: Data
    snapshot: Snapshot
    run: Mapping[str, Any]
    raw: pl.DataFrame

    @property
    def run_id(self) -> str:
        return self.run["run_id"]

    @property
    def verdict(self) -> Verdict | None:
        return self.snapshot.verdicts.get(self.run_id)

    @property
    def axis(self) -> StepAxis:
        return axis_of(self.snapshot, run_ids=[self.run_id])


def _section() -> str | None:
    return st.segmented_control(
        "Section",
        list(_SECTIONS),
        default=_CURVES,
        required=True,
        key="run_section",
        bind=IN_ADDRESS,
        label_visibility="collapsed",
    )


def _curves(of: _Run) -> None:
    reviewing = None if of.verdict is None else ChartReview(data=of.data, verdict=of.verdict)
    panels(of.raw, of.snapshot, of.run_id, of.axis, reviewing=reviewing)
    measures, facts = st.columns([3, 2], gap="large")
    with measures:
        if of.raw.height:
            leads_section(of.raw, of.snapshot, of.run_id)
            segments_section(of.raw, of.run_id, of.axis, state=(of.run["step"], of.run["last_ms"]))
    if of.verdict is not None:
        with facts:
            mine = of.snapshot.curves.filter(pl.col("run_id") == of.run_id)
            run_facts.by_definition(of.verdict, mine, of.axis)
            run_facts.evidence(of.verdict)


def _layers(of: _Run) -> None:
    layers_section(of.raw, of.data.source.arrays(of.run_id), of.verdict, of.axis)


def _snapshots(of: _Run) -> None:
    snapshots_section(of.data.source.arrays(of.run_id))


def _setup(of: _Run) -> None:
    source = of.data.source
    link = source.mlflow_link(of.run["experiment"], of.run_id)
    params, tags = source.params(of.run_id), source.tags(of.run_id)
    setup_section(params, tags, of.raw, run_id=of.run_id, link=link)
    artifacts_section(partial(source.artifacts, of.run_id), run_id=of.run_id, link=link)


def _points(of: _Run) -> None:
    raw_points_section(of.raw, of=of.run["label"])


_CURVES = "Curves"
_SECTIONS: Mapping[str, Callable[[_Run], None]] = {
    _CURVES: _curves,
    "Layers": _layers,
    "Snapshots": _snapshots,
    "Setup": _setup,
    "Points": _points,
}
"""Only the one that is looked at is drawn."""


def _withdrawn(changes: pl.DataFrame) -> None:
    """Say which events the live detector had reported and has taken back, the latest first."""
    gone = changes.filter(pl.col("why") != "").head(_MOST_WITHDRAWN)
    for kind, step, why in gone.select("kind", "step", "why").iter_rows():
        said = f"{Kind(kind).word} at step {phrases.steps(step)}: {why}"
        st.caption(f"withdrawn by the detector · {escape(said, limit=400)}")


def _state(run: Mapping[str, Any]) -> None:
    of = f" of {phrases.steps(run['planned'])}" if run["planned"] else ""
    seed = "" if run["seed"] is None else f" · seed {run['seed']}"
    group = "" if run["group"] == UNGROUPED else f" · {escape(run['group'])}"
    said = f"{status_of(run)} · step {phrases.steps(run['step'])}{of}{group}{seed}"
    st.caption(said, width="stretch")


def _picked(data: Data, snapshot: Snapshot) -> str:
    labels: dict[str, str] = dict(snapshot.runs.select("run_id", "label").iter_rows())
    ids = list(labels)
    first = data.selection.runs[0] if data.selection.runs else ids[0]
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(first),
        format_func=labels.__getitem__,
        key=f"run_picker_{first}",
        label_visibility="collapsed",
        width=420,
    )
    if chosen != first:
        data.open_view("run", [chosen])
    return chosen


def _verdict(verdict: Verdict | None, points: pl.DataFrame) -> None:
    if verdict is None:
        st.write(_NO_CURVE if points.is_empty() else _NONE_READ)
        return
    words = PATTERN_WORDS[verdict.pattern]
    word = phase_of(verdict).value.capitalize() if verdict.in_progress else headline_of(verdict)
    ends: Ends = training_ends(points).get(verdict.run, {})
    said = sentence(verdict, trained=ends)
    st.markdown(f"**{word}.** {escape(said, limit=_LONGEST)}", help=f"{words.term}: {words.sentence}")
    made = [one.sentence() for one in verdict.reviews if one.decision is not Decision.NOTED]
    if made:
        st.caption(f"As a person reviewed it: {escape('; '.join(made), limit=_LONGEST)}.")

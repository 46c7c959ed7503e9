"""A person's review on the chart itself: events are moved and added by the mouse or the arrow keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokscope.dashboard.component.linked_charts import DatedChart, DatedMark, Decided, dated_chart
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Data
from grokscope.dashboard.tables.dated_events import DatedEvent, dated_events, missing_subjects
from grokscope.dashboard.views.run.review import add_event, move_event, named_reviewer, tell
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartReview:
    """Whose events are reviewed on a chart.

    Attributes:
        data: Where reviews are kept.
        verdict: As people left it.
    """

    data: Data
    verdict: Verdict


def draw_to_review(
    reviewing: ChartReview, spec: Mapping[str, Any], steps: Sequence[int], *, title: str, key: str
) -> bool:
    """Draw a chart with the run's dated events as marks that can be moved; return whether that is possible.

    Args:
        reviewing: Whose events these are.
        spec: The chart, over steps.
        steps: Of its evaluations, rising.
        title: Above it.
        key: Name of the element.
    """
    chart = DatedChart(
        spec=spec,
        title=title,
        text=f"{title} over steps",
        marks=[
            DatedMark(id=row.key, name=_named(row), shape=row.shape, step=row.date.step)
            for row in dated_events(reviewing.verdict)
            if row.date is not None
        ],
        steps=steps,
        subjects=missing_subjects(reviewing.verdict),
        reviewer=plain(named_reviewer(), limit=60),
        palette=palette(),
    )
    return dated_chart(chart, key=key, on_decided=lambda decided: _decide(reviewing, decided))


def _named(row: DatedEvent) -> str:
    return f"{row.name} of {plain(row.metric)}" if row.metric else row.name


def _decide(reviewing: ChartReview, decided: Decided) -> None:
    """Keep what was confirmed on the chart, if that event is still there to be moved or added."""
    data, verdict = reviewing.data, reviewing.verdict
    row = next((row for row in dated_events(verdict) if row.key == decided.mark), None)
    if row is not None:
        move_event(data, verdict.run, row, decided.step)
    elif decided.mark is None and decided.subject in missing_subjects(verdict):
        add_event(data, verdict, decided.subject, decided.step)
    else:
        tell("the event is another one by now; look at the list and decide again.")

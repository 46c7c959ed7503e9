"""What is known of one run, beside its curves: dates, how sure they are, evidence, params."""

from collections.abc import Mapping

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.run.definitions import definitions_chart
from grokscope.dashboard.component.chart import show
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.events import EVENT_STYLES, said_of
from grokscope.dashboard.words.losses import LOSSES
from grokscope.dashboard.words.patterns import divergence_of
from grokscope.schemas import (
    AXES,
    Check,
    Outcome,
    Pattern,
    Verdict,
    axis_of_param,
    params_on_axes,
)
from grokscope.schemas.runs.settings import flat_settings
from grokscope.schemas.secrets import redacted
from grokscope.transitions import DEFINITIONS, sensitivity

_NO_DELAY: Mapping[Pattern, str] = {
    Pattern.COMPREHENSION: "No grokking step by any definition: the curves improved together, so there is no "
    "delay to date.",
    Pattern.MEMORIZATION: "No grokking step by any definition: the held-out curve has not risen.",
}
_SIGNS: Mapping[Outcome | None, str] = {
    Outcome.PASS: ":green[✓]",
    Outcome.FAIL: ":red[✗]",
    Outcome.UNKNOWN: ":gray[?]",
    None: "·",
}


def by_definition(verdict: Verdict, curves: pl.DataFrame, axis: StepAxis) -> None:
    """Draw the grokking step under every published definition, where a delay is claimed; else say why not."""
    if verdict.delay is None:
        said = _NO_DELAY.get(verdict.pattern)
        if said and not verdict.in_progress and not verdict.reviews:
            st.caption(said)
        return
    report = sensitivity(curves) if curves.height else None
    if report is None or report["step"].drop_nulls().is_empty():
        return
    st.subheader("By definition", anchor=False)
    st.caption(_said(report))
    show(
        definitions_chart,
        report.select("definition", "step", "low", "high"),
        key="run_by_definition",
        text="The grokking step with its 95 % interval under each published definition",
        axis=axis,
        palette=palette(),
    )
    with st.expander("What each definition says", key="run_definitions"):
        st.markdown(
            "\n".join(f"- **{d.name}**: {escape(d.rule)} ({escape(d.source)})" for d in DEFINITIONS.values())
        )


def _said(report: pl.DataFrame) -> str:
    found = report["step"].drop_nulls()
    missing = report.height - found.len()
    none = f" {missing} of {report.height} definitions find none." if missing else ""
    if not report["depends"][0]:
        return "All published definitions agree within a factor of 1.5."
    low, high = phrases.steps(found.min()), phrases.steps(found.max())  # pyright: ignore[reportArgumentType]
    between = f"anywhere from {low} to {high}" if found.len() > 1 else low
    return f"Depends on what one calls the grokking step: {between}.{none}"


def evidence(verdict: Verdict) -> None:
    """Draw every event with its checks, passed, failed or unknown, and what could not be told."""
    events = verdict.transitions
    is_told = verdict.pattern is Pattern.OTHER and divergence_of(verdict) is None
    missing = () if is_told else verdict.missing  # there it is the verdict itself
    if not events and not missing:
        return
    st.subheader("Events", anchor=False)
    for event in events:
        style = EVENT_STYLES[event.kind]
        said = f"{said_of(event.kind, event.status)} at step {phrases.steps(event.step)}"
        where = f":gray[{escape(event.metric)}]"
        st.markdown(f":{style.colour}[{style.shape}] {escape(said)} {where}", help=style.sentence)
        if event.evidence:
            st.markdown("  \n".join(map(_line, event.evidence)))
    for sentence in missing:
        st.markdown(f":gray[?] {escape(sentence, limit=400)}")


def _line(check: Check) -> str:
    return f"{_SIGNS[check.outcome]} **{escape(check.name)}** :gray[{escape(check.text)}]"


def losses(tags: Mapping[str, str]) -> None:
    """Say what was logged and is not in the curves; their gaps would be taken for the run's own."""
    told = [
        sentence.format(escape(redacted(tags[name]), limit=400))
        for name, sentence in LOSSES.items()
        if tags.get(name)
    ]
    if told:
        st.warning(
            "Not all that this run logged is here: " + "; ".join(told) + ".", icon=":material/warning:"
        )


def params(values: Mapping[str, str]) -> None:
    """Draw params by the survey's axes; other loggers withhold no secrets, so that is done here."""
    sections = by_axis(flat_settings(values))
    if not sections:
        return
    st.subheader("Params", anchor=False)
    with st.container(gap="xsmall", key="run_params"):
        for title, mine in sections.items():
            st.caption(title)
            st.markdown("  \n".join(f"{escape(k)}  **{escape(v)}**" for k, v in mine.items()))


def by_axis(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return params by the axis that they are on, under whatever usual name they were logged.

    >>> by_axis({"max_iters": "500", "notes": "x"})
    {'compute · exposure': {'steps': '500'}, 'other': {'notes': 'x'}}
    """
    named = params_on_axes(values)
    sections = {
        prefix.replace(".", " · "): {
            name.removeprefix(prefix + "."): value
            for name, value in named.items()
            if axis_of_param(name) == prefix
        }
        for prefix in AXES.values()
    }
    sections["other"] = {name: value for name, value in named.items() if axis_of_param(name) is None}
    return {title: mine for title, mine in sections.items() if mine}

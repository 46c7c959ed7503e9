"""How one run was made: its params, its code, its machine, and where MLflow shows it."""

from collections.abc import Mapping

import polars as pl
import streamlit as st

from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.views.run import facts as run_facts
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.schemas.secrets import redacted
from grokscope.schemas.tags import MACHINE

_CODE: Mapping[str, str] = {
    "mlflow.source.git.commit": "commit",
    "mlflow.source.git.branch": "branch",
    "mlflow.source.git.repoURL": "repository",
    "mlflow.source.name": "program",
    "mlflow.source.type": "kind",
    "mlflow.user": "user",
}
_OURS = ("grokscope.", "mlflow.")


def setup_section(
    params: Mapping[str, str],
    tags: Mapping[str, str],
    points: pl.DataFrame,
    *,
    run_id: str,
    link: str | None,
) -> None:
    """Draw what is known of how a run was made. Other people's addresses are shown and never linked."""
    left, right = st.columns(2, gap="large")
    with left:
        run_facts.params(params)
        if not params:
            st.caption("No params were logged.")
    with right:
        st.subheader("In MLflow", anchor=False)
        if link is not None:
            st.link_button("Open the run", link, icon=":material/open_in_new:")
        else:
            st.caption("The store is no server, so there is no page to link to. The run's id there:")
        st.code(run_id, language=None)
        _pairs("Code", _code(tags))
        _pairs("Machine", {"": tags[MACHINE]} if tags.get(MACHINE) else {})
        _pairs("System, at last", _system(points))
        own = {name: value for name, value in tags.items() if not name.startswith(_OURS)}
        _pairs("Tags", own)
        if own.keys() | params.keys():
            both = {"params": _frame(params), "tags": _frame(own)}
            offer_downloads(both, key="run_setup")


def _code(tags: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of the code; a commit is not all of it where something was changed since."""
    found = {said: tags[tag] for tag, said in _CODE.items() if tags.get(tag)}
    if "commit" not in found:
        return {"commit": "not recorded", **found} if found else {}
    dirty = tags.get("mlflow.source.git.dirty")
    if dirty == "true":
        found["commit"] += ", with changes that were not committed"
    elif dirty is None and MACHINE in tags:  # a run of ours, whose git did not answer in time
        found["commit"] += "; whether something was changed since is not known"
    return found


def _pairs(title: str, pairs: Mapping[str, str]) -> None:
    if not pairs:
        return
    st.subheader(title, anchor=False)
    lines = (f"{escape(name)}  **{escape(redacted(value))}**".strip() for name, value in pairs.items())
    st.markdown("  \n".join(lines))


def _system(points: pl.DataFrame) -> dict[str, str]:
    """Return the latest values of what MLflow and trackers log of the machine."""
    own = points.filter(pl.col("metric").str.starts_with("system/") & pl.col("value").is_finite())
    last = own.sort("step").group_by("metric").agg(pl.col("value").last()).sort("metric")
    return {metric.removeprefix("system/"): phrases.number(value) for metric, value in last.iter_rows()}


def _frame(pairs: Mapping[str, str]) -> pl.DataFrame:
    rows = [(name, redacted(value)) for name, value in sorted(pairs.items())]
    return pl.DataFrame(rows, {"name": pl.String, "value": pl.String}, orient="row")

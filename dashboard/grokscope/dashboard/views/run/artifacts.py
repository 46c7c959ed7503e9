"""The artifacts of one run: names and sizes, listed when they are asked for."""

from collections.abc import Callable

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.table import ROW_HEIGHT
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.store import ListedArtifacts
from grokscope.store.findings import shown_bytes

_WHOLE = 12
_KEPT_S = 30


def artifacts_section(list_them: Callable[[], ListedArtifacts], *, run_id: str, link: str | None) -> None:
    """Draw a run's artifacts in a box, which asks for them when it is opened and keeps the answer a while.

    Args:
        list_them: Asks where they lie; that may take as long as that place takes.
        run_id: Whose they are.
        link: Of the run's page in MLflow, if there is one.
    """

    @st.fragment
    def box() -> None:
        with st.expander("Artifacts", key="run_artifacts_box", on_change="rerun") as opened:
            if opened.open:
                _artifacts(_listed(list_them, run_id), link)

    box()


@st.cache_data(ttl=_KEPT_S, max_entries=64, show_spinner="Reading the list of artifacts …")
def _listed(_list_them: Callable[[], ListedArtifacts], run_id: str) -> ListedArtifacts:  # noqa: ARG001
    return _list_them()


def _artifacts(found: ListedArtifacts, link: str | None) -> None:
    if found.problem is not None:
        _listed.clear()  # the next look asks again
        st.caption(f"The artifacts cannot be listed now: {escape(found.problem, limit=400)}")
        return
    if link is not None:
        st.link_button("Open them in MLflow", f"{link}/artifacts", icon=":material/open_in_new:")
    elif found.place is not None:
        st.code(plain(str(found.place), limit=400), language=None)
    if not found.files:
        st.caption("The run has no artifacts.")
        return
    rows = [(plain(path, limit=200), shown_bytes(size)) for path, size in found.files]
    st.dataframe(
        pl.DataFrame(rows, {"file": pl.String, "size": pl.String}, orient="row"),
        hide_index=True,
        column_config={"file": st.column_config.TextColumn("File", width="large"), "size": "Size"},
        row_height=ROW_HEIGHT,
        height="content" if len(rows) <= _WHOLE else (_WHOLE + 1) * ROW_HEIGHT,
        key="run_artifacts",
        alt="Artifacts of the run with their sizes",
    )
    whole = shown_bytes(sum(size for _, size in found.files))
    note(f"{phrases.counted(len(rows), 'file')} · {whole}")
    if not found.is_whole:
        note("There may be more than these: a folder could not be read, or the list grew too long.")

"""The router: which page is asked for, of which store, with what selected."""

import os
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.serving.preparation import import_pages, session_of
from grokscope.dashboard.serving.settings import ICON, STORE_VARIABLE

import_pages()
from grokscope.dashboard.component.page_shell import header  # noqa: E402 - see import_pages
from grokscope.dashboard.component.rail import Narrowing, address  # noqa: E402
from grokscope.dashboard.state.data import Data  # noqa: E402
from grokscope.dashboard.views import VIEWS  # noqa: E402


def _ways(
    pages: Mapping[str, StreamlitPage], drawn: Mapping[str, Data]
) -> tuple[Callable[[str, Sequence[str]], None], Callable[[str, Sequence[str], str], None]]:
    """Return what goes to a view with some runs selected, and what draws a link to it."""

    def query(runs: Sequence[str]) -> dict[str, str | list[str]]:
        selected = {**drawn["data"].selection.query(), "runs": ",".join(runs)}
        return {key: value for key, value in selected.items() if value}

    def open_view(name: str, runs: Sequence[str]) -> None:
        st.switch_page(pages[name], query_params=query(runs))

    def link(name: str, runs: Sequence[str], label: str) -> None:
        st.page_link(pages[name], label=label, query_params=query(runs))

    return open_view, link


def _main() -> None:
    # Read from the environment and nowhere else: an address taken from a link would make this server
    # open files and hosts of a stranger's choice.
    uri = os.environ.get(STORE_VARIABLE, "")
    drawn: dict[str, Data] = {}
    pages = {
        view.name: st.Page(
            lambda view=view: view.render(drawn["data"]),
            title=view.title,
            url_path=view.name,
        )
        for view in VIEWS
    }

    open_view, link = _ways(pages, drawn)
    # The bare address has a page of its own, so that every view keeps its name in the address.
    home = st.Page(lambda: None, title="grokscope", default=True, visibility="hidden")
    page = st.navigation([home, *pages.values()], position="hidden")
    if page == home:
        st.switch_page(pages["live"], query_params=address())
    st.set_page_config(page_title=f"{page.title} · grokscope", page_icon=str(ICON), layout="wide")
    if not uri:
        st.error(f"No store is named: start the dashboard with `grokscope up`, or set {STORE_VARIABLE}.")
        st.stop()
    session = session_of(uri)
    selection = header(session, page.title, pages)
    narrow = Narrowing(source=session, selection=selection)
    drawn["data"] = Data(source=session, selection=selection, open_view=open_view, narrow=narrow, link=link)
    page.run()


if __name__ == "__main__":
    _main()

"""The router: which page is asked for, of which store, with what selected."""

import os
from collections.abc import Sequence

import streamlit as st

from grokscope.dashboard.component.page_shell import header
from grokscope.dashboard.serving.settings import ICON, STORE_VARIABLE
from grokscope.dashboard.state.data import Data
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.views import VIEWS


@st.cache_resource(max_entries=4, show_spinner=False)
def _session(uri: str) -> StoreSession:
    return StoreSession(uri)


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

    def open_view(name: str, runs: Sequence[str]) -> None:
        selected = {**drawn["data"].selection.query(), "runs": ",".join(runs)}
        st.switch_page(pages[name], query_params={k: v for k, v in selected.items() if v})

    # The bare address has a page of its own, so that every view keeps its name in the address.
    home = st.Page(lambda: None, title="grokscope", default=True, visibility="hidden")
    page = st.navigation([home, *pages.values()], position="hidden")
    if page == home:
        st.switch_page(pages["live"], query_params=st.query_params.to_dict())
    st.set_page_config(page_title=f"{page.title} · grokscope", page_icon=str(ICON), layout="wide")
    if not uri:
        st.error(f"No store is named: start the dashboard with `grokscope up`, or set {STORE_VARIABLE}.")
        st.stop()
    session = _session(uri)
    drawn["data"] = Data(source=session, selection=header(session, page.title, pages), open_view=open_view)
    page.run()


if __name__ == "__main__":
    _main()

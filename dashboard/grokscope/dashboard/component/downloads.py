"""The frames behind what is drawn, and the figure itself, one click away."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.exporting import files as export
from grokscope.dashboard.words import phrases

_PREVIEW = 500
_OPENED = "_behind"
_DRAWN = "downloads_drawn"
_UNSAFE = re.compile(r"[^\w.%+=-]+", re.ASCII)
_LONGEST = 80

_FIGURES: Mapping[str, tuple[str, Callable[[Sequence[export.Spec]], bytes]]] = {
    "SVG": ("image/svg+xml", export.to_svg),
    "PNG": ("image/png", export.to_png),
}
_FILES: Mapping[str, tuple[str, Callable[[pl.DataFrame], bytes]]] = {
    "CSV": ("text/csv", export.to_csv),
    "Parquet": ("application/vnd.apache.parquet", export.to_parquet),
}


def offer_downloads(
    frames: Mapping[str, pl.DataFrame],
    *,
    key: str,
    specs: Sequence[Mapping[str, Any]] = (),
    title: str = "Data and figure",
    of: str = "",
) -> None:
    """Draw an expander with downloads and the frames' first rows; what it holds is made once it is open.

    Args:
        frames: By what they are called; every row of them is in the files.
        key: Name of the elements, stable over reruns, and of the files.
        specs: Charts, which become one figure.
        title: Of the expander.
        of: What the files are of, where they would be called alike for several: a run's name.
    """
    section = st.expander(title if specs else "Data", key=f"{key}{_OPENED}", on_change="rerun")
    st.session_state.setdefault(_DRAWN, set()).add(f"{key}{_OPENED}")
    if not section.open:
        return
    files = stem(of)
    with section:
        for name, frame in frames.items():
            _frame(name, frame, key=f"{key}_{name.replace(' ', '_')}", files=files)
        if specs:
            with _row(f"{key}_figure"):
                st.caption("figure")
                for kind, (mime, make) in _FIGURES.items():
                    _button(kind, partial(make, list(specs)), key=f"{key}_figure", mime=mime, files=files)


def stem(of: str) -> str:
    """Return what the names of files begin with, of what they are of: only what any system takes in a name.

    >>> stem(""), stem("weight decay 1, seed 3"), stem("../a:b")
    ('grokscope', 'grokscope-weight_decay_1_seed_3', 'grokscope-a_b')
    """
    return "-".join(filter(None, ["grokscope", _UNSAFE.sub("_", of)[:_LONGEST].strip("._")]))


def are_open() -> bool:
    """Say whether the reader has downloads open on this page.

    A page must not refresh then: Streamlit replaces each button's file by a new one at every refresh, and a
    click on the one before brings nothing.
    """
    return any(opened is True for key, opened in st.session_state.items() if str(key).endswith(_OPENED))


def forget_undrawn() -> bool:
    """Forget sections that were open and are on the page no more; say whether there was one.

    Call it when all of a page has been drawn: what is no longer there must not keep it from refreshing.
    """
    drawn: set[str] = st.session_state.pop(_DRAWN, set())
    opened = [str(key) for key, is_open in st.session_state.items() if is_open is True]
    gone = [key for key in opened if key.endswith(_OPENED) and key not in drawn]
    for key in gone:
        del st.session_state[key]
    return bool(gone)


def _frame(name: str, frame: pl.DataFrame, *, key: str, files: str) -> None:
    with _row(f"{key}_row"):
        st.caption(name)
        for kind, (mime, make) in _FILES.items():
            _button(kind, partial(make, frame), key=key, mime=mime, files=files)
    shown = frame.head(_PREVIEW)
    st.dataframe(shown, hide_index=True, key=f"{key}_table", height=_height(shown.height), alt=name)
    note(phrases.cut(shown.height, frame.height, "rows", rest="The files hold all."))


def _height(rows: int) -> int:
    return 36 * min(rows + 1, 8) + 2


def _row(key: str) -> Any:
    return st.container(horizontal=True, vertical_alignment="center", key=key)


def _button(kind: str, make: Callable[[], bytes], *, key: str, mime: str, files: str) -> None:
    # A callable is run at the click and not before: a page that refreshes makes no files.
    st.download_button(
        kind,
        make,
        file_name=f"{files}-{key}.{kind.lower()}",
        mime=mime,
        key=f"{key}_{kind}",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )

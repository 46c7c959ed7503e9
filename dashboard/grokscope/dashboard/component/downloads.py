"""The frames behind what is drawn, the figure itself, and a report of the selection, one click away."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.exporting import files as export
from grokscope.dashboard.exporting.bundle import to_bundle
from grokscope.dashboard.exporting.figure import Kind
from grokscope.dashboard.exporting.publication import Spec
from grokscope.dashboard.exporting.report import Selected, selection_report
from grokscope.dashboard.exporting.sizes import SIZES, Size, SizeError, size_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain

_PREVIEW = 500
_OPENED = "_behind"
_DRAWN = "downloads_drawn"
_UNSAFE = re.compile(r"[^\w.%+=-]+", re.ASCII)
_LONGEST = 80

_FIGURES: Mapping[str, tuple[str, Kind]] = {
    "SVG": ("image/svg+xml", "svg"),
    "PDF": ("application/pdf", "pdf"),
    "PNG": ("image/png", "png"),
    "HTML": ("text/html", "html"),
}
_SIZES: Mapping[str, str] = {
    "double": "two columns, 175 mm",
    "single": "one column, 85 mm",
    "slide": "slide, 16:9",
}
_FILES: Mapping[str, tuple[str, Callable[[pl.DataFrame], bytes]]] = {
    "CSV": ("text/csv", export.to_csv),
    "Parquet": ("application/vnd.apache.parquet", export.to_parquet),
}


def offer_downloads(
    frames: Mapping[str, pl.DataFrame],
    *,
    key: str,
    specs: Sequence[Spec] = (),
    title: str = "Data and figure",
    of: str = "",
) -> None:
    """Draw an expander with downloads and the frames' first rows; what it holds is made once it is open.

    Args:
        frames: By what they are called; every row of them is in the files.
        key: Name of the elements, stable over reruns, and of the files.
        specs: Charts, which become one figure: SVG, PDF, PNG, HTML, and a bundle that draws it again.
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
            _figure(specs, frames, key=f"{key}_figure", files=files, of=of)


def offer_report(make: Callable[[Kind], Selected], *, runs: int, key: str, is_in_row: bool = False) -> None:
    """Draw an expander with the selection as one page, HTML or Markdown; it is made at the click.

    Args:
        make: What the page is of, with its figures as SVG or as PNG.
        runs: How many runs.
        key: Name of the elements, stable over reruns, and of the files.
        is_in_row: Whether it stands among buttons, and opens over the page.
    """
    name, opened = "Report", f"{key}{_OPENED}"
    if is_in_row:
        section = st.popover(name, icon=":material/summarize:", key=opened, on_change="rerun")
    else:
        section = st.expander(name, key=opened, on_change="rerun")
    st.session_state.setdefault(_DRAWN, set()).add(opened)
    if not section.open:
        return

    def page(*, html: bool) -> bytes:
        return selection_report(make("svg" if html else "png"), html=html).encode()

    with section, _row(f"{key}_row"):
        st.caption(f"{phrases.counted(runs, 'run')} on one page: tables, what each did, the figure, versions")
        for kind, mime, html in (("HTML", "text/html", True), ("MD", "text/markdown", False)):
            _button(kind, partial(page, html=html), key=key, mime=mime, files=stem(""))


def stem(of: str) -> str:
    """Return what the names of files begin with, of what they are of: only what any system takes in a name.

    >>> stem(""), stem("weight decay 1, seed 3"), stem("../a:b")
    ('grokscope', 'grokscope-weight_decay_1_seed_3', 'grokscope-a_b')
    """
    return "-".join(filter(None, ["grokscope", _UNSAFE.sub("_", of)[:_LONGEST].strip("._")]))


def selected_in_address() -> dict[str, str]:
    """Return what the address selects: with it the page opens as it is."""
    return {
        f"address {name} {place}" if place > 1 else f"address {name}": value
        for name in st.query_params
        for place, value in enumerate(st.query_params.get_all(name), start=1)
    }


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


def _figure(
    specs: Sequence[Spec], frames: Mapping[str, pl.DataFrame], *, key: str, files: str, of: str
) -> None:
    """Draw a row with the figure in each form, in a size that is chosen."""
    with _row(key):
        st.caption("figure")
        size = _size(key)
        for kind, (mime, form) in _FIGURES.items():
            make = partial(export.to_figure, list(specs), form, size=size, title=of)
            _button(kind, make, key=key, mime=mime, files=files)
        bundled = partial(
            to_bundle, list(specs), dict(frames), asked=selected_in_address(), size=size, title=of
        )
        _button("ZIP", bundled, key=key, mime="application/zip", files=files)
    note("ZIP: figure, data and settings; `grokscope figure FILE.zip` draws it again, in any form and size.")


def _size(key: str) -> Size:
    """Return the size that is chosen, or typed in; one that no figure has is told."""
    chosen = st.selectbox(
        "Size",
        list(_SIZES),
        format_func=lambda name: _SIZES.get(name, plain(name)),
        key=f"{key}_size",
        label_visibility="collapsed",
        accept_new_options=True,
        placeholder="Size",
        width=220,
    )
    try:
        return size_of(chosen or "double")
    except SizeError as error:
        note(escape(str(error)))
        return SIZES["double"]


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

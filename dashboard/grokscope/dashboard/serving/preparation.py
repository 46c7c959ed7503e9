"""What the first page would wait for, done while the browser still opens: imports, and the first reading."""

import gc
import importlib
import os
from functools import lru_cache
from threading import Lock, Thread

from grokscope.dashboard.component.registration import is_registered
from grokscope.dashboard.serving.settings import STORE_VARIABLE
from grokscope.dashboard.state.session import StoreSession

_PAGES = ("grokscope.dashboard.component.page_shell", "grokscope.dashboard.views")
_importing, _opening = Lock(), Lock()


def import_pages() -> None:
    """Import what draws pages, in one thread: in two at once, each may be given what is half imported.

    Altair would check every part of a chart against the grammar of Vega-Lite while it is made, a third of the
    time that a chart takes: the tests do that.
    """
    with _importing:
        for name in _PAGES:
            importlib.import_module(name)
        importlib.import_module("altair.utils.schemapi").disable_debug_mode()
        _leave_out_imports()


@lru_cache(maxsize=1)
def _leave_out_imports() -> None:
    # Streamlit collects garbage after every drawing, of a fragment too. What has been imported by now is
    # none, and looking through it took a tenth of a second each time.
    gc.collect()
    gc.freeze()


def session_of(uri: str) -> StoreSession:
    """Return the one session of a store that all open pages share."""
    with _opening:
        return _session_of(uri)


@lru_cache(maxsize=4)
def _session_of(uri: str) -> StoreSession:
    return StoreSession(uri)


def prepare() -> None:
    """Begin to read the newest experiment of the store, and to import what draws pages."""
    if uri := os.environ.get(STORE_VARIABLE):
        # It says by itself what is wrong with a store. Most of its time is not Python's.
        Thread(target=lambda: session_of(uri).snapshot(None), daemon=True, name="reads ahead").start()
    is_registered()  # the page's head asks for scripts of the charts before any page is drawn
    Thread(target=import_pages, daemon=True, name="imports pages").start()

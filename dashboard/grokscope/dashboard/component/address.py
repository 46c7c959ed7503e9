"""Controls whose values stand in the address under stable names; Streamlit's binding writes what is shown."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import streamlit as st

ONE_BY_ONE: Mapping[str, Any] = MappingProxyType({"select_all": False, "filter_mode": "contains"})
"""How names are picked from a list: of those that hold what is typed, Enter takes the first and never all."""

_DEFAULT = "_default"
_NOTHING = "-"
"""Stands for no value at all, which an address does not keep."""


def recall_many(key: str, options: Sequence[str], default: Sequence[str]) -> None:
    """Give a control of several values what was chosen before: on this page, else in the address.

    As long as nothing else is chosen it follows ``default``, which may change with the runs. Call it before
    the control is drawn, and ``keep`` after it.
    """
    now: Sequence[str] | None = st.session_state.get(key)
    if now is None:
        now = st.query_params.get_all(key) if key in st.query_params else default
    elif list(now) == st.session_state.get(key + _DEFAULT):
        now = default
    known = set(options)
    st.session_state[key] = [name for name in now if name in known]
    st.session_state[key + _DEFAULT] = list(default)


def recall_one(key: str, options: Sequence[str]) -> None:
    """The same for a control of one value; its default is the first of ``options``."""
    now: str | None = st.session_state.get(key, st.query_params.get(key))
    st.session_state[key] = now if now in options else options[0]
    st.session_state[key + _DEFAULT] = options[0]


def keep(key: str) -> None:
    """Write what a control says into the address, if it is not the default."""
    value: str | list[str] = st.session_state[key]
    if value == st.session_state[key + _DEFAULT]:
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != ((value or [_NOTHING]) if isinstance(value, list) else [value]):
        st.query_params[key] = value or _NOTHING

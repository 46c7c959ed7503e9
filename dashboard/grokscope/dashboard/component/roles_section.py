"""Which curve is what: what was guessed from names, and how to say otherwise."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.state.data import Data, Snapshot, SnapshotSource
from grokscope.dashboard.tables.panels import is_about_learning
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas import METRICS, SCORES, SPLITS
from grokscope.store import IGNORED, How, Role

_GUESS, _IGNORE = "as guessed from its name", "nothing: leave it out"
_AS_NAMED, _HIGHER, _LOWER = "as the key says", "higher", "lower"
_BETTER = {True: _HIGHER, False: _LOWER, None: "–"}
_TITLE = "What each metric is taken for"


def roles_section(data: Data, snapshot: Snapshot) -> None:
    """Draw the roles of each experiment's metrics, and the control that overrides them."""
    for place, part in enumerate(snapshot.parts or (snapshot,)):
        _section(data, part, key=f"naming_{place}" if place else "naming", is_one=not snapshot.parts)


def _section(data: Data, snapshot: Snapshot, *, key: str, is_one: bool) -> None:
    roles = _roles(snapshot, data.source)
    if not roles or snapshot.experiment is None:
        return
    guessed = sum(role.how is How.GUESSED for role in roles)
    title = f"{_TITLE} · {guessed} guessed" if guessed else _TITLE
    with st.expander(title if is_one else f"{title} · {plain(snapshot.experiment, limit=60)}", key=key):
        st.dataframe(_table(roles), hide_index=True, key=f"{key}_table", alt=_TITLE)
        _override(data, snapshot.experiment, roles, key=key)


# What people say of metrics that no verdict reads changes no snapshot: after a while it is asked for again.
@st.cache_resource(
    max_entries=8, ttl=30, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found}
)
def _roles(snapshot: Snapshot, _source: SnapshotSource) -> Sequence[Role]:
    return [role for role in _source.roles(snapshot) if is_about_learning(role.name)]


def _table(roles: Sequence[Role]) -> pl.DataFrame:
    order = list(How)[::-1]
    rows = [
        {
            "logged as": plain(role.name),
            "taken for": role.canonical or "–",
            "how": role.how.value,
            "better": _BETTER[role.higher_is_better],
            "it is": role.kind.value.replace("none", "–"),
            "why": role.reason,
        }
        for role in sorted(roles, key=lambda role: (role.how is How.OWN, -order.index(role.how), role.name))
    ]
    return pl.DataFrame(rows)


def _override(data: Data, experiment: str, roles: Sequence[Role], *, key: str) -> None:
    st.caption("Not right? What you say here is kept as a tag of the MLflow experiment, for all who read it.")
    names = [role.name for role in roles]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}_row"):
        st.selectbox("The metric", names, format_func=plain, key=f"{key}_name", width=280)
        st.selectbox("is", [_GUESS, _IGNORE, *_keys()], key=f"{key}_key", width=280)
        ways = [_AS_NAMED, _HIGHER, _LOWER]
        st.selectbox("better is", ways, key=f"{key}_better", width=160)
        asked = (data.source, experiment, roles, key)
        st.button("Keep", key=f"{key}_keep", on_click=_keep, args=asked)
    if problem := st.session_state.pop(f"{key}_problem", None):
        st.error(escape(problem, limit=400))
    if st.session_state.pop(f"{key}_kept", False):
        st.rerun()


def _keep(source: SnapshotSource, experiment: str, roles: Sequence[Role], key: str) -> None:
    """Keep what the controls say, as the click arrives: a page in drawing may be left before its end."""
    name, role, better = (st.session_state[f"{key}_{part}"] for part in ("name", "key", "better"))
    way = {_HIGHER: ":up", _LOWER: ":down"}.get(better, "")
    chosen = {_GUESS: None, _IGNORE: IGNORED}.get(role, f"{role}{way}")
    is_overridden = any(one.name == name and one.how is How.OVERRIDDEN for one in roles)
    if chosen is None and not is_overridden:
        return
    problem = source.set_role(experiment, name, chosen)
    st.session_state[f"{key}_problem" if problem else f"{key}_kept"] = problem or True
    _roles.clear()


def _keys() -> list[str]:
    """Return the curves that verdicts are read from, of every split."""
    ours = [quantity for family, quantity in METRICS if family == "curve"]
    quantities = [*ours, *(quantity for quantity in SCORES if quantity not in ours)]
    return [f"{split}/{quantity}" for split in SPLITS for quantity in quantities]

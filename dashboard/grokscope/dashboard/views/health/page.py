"""How store, machine and runs are: a table a topic, a line a finding, each with a word for how it is."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.health.machine import machine_findings
from grokscope.dashboard.health.runs import (
    cost_findings,
    import_findings,
    loss_findings,
    verdict_findings,
    version_findings,
    worst_first,
)
from grokscope.dashboard.health.store import store_findings
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.tables.live.readings import COSTS, last_readings
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas import NoHomeError
from grokscope.schemas.places import home
from grokscope.store.findings import Finding, Health

EVERY_S = 10
_MOST, _LONGEST = 25, 400
_WORDS: Mapping[Health, str] = {
    Health.OK: ":green-badge[fine]",
    Health.WARN: ":orange-badge[look]",
    Health.FAIL: ":red-badge[wrong]",
}
_CODE = re.compile(r"(`[^`]+`)")


def render(data: Data) -> None:
    """Draw the page."""
    refreshing(
        data, lambda snapshot: _page(data, snapshot), every_s=EVERY_S, else_draw=lambda s: _ground(data, s)
    )


def _page(data: Data, snapshot: Snapshot) -> None:
    _ground(data, snapshot)
    readings = _readings(data, snapshot)
    _topic("Lost data", loss_findings(snapshot, readings), none="Nothing is known to be lost.")
    _topic("Runs without a verdict", verdict_findings(snapshot), none="Every run has one.")
    _topic("Detectors", version_findings(snapshot), none="No run, no verdict.")
    _topic(
        "What measuring costs",
        cost_findings(snapshot, readings),
        none="Cannot tell: no run here logs it. Runs of a `Tracker` that evaluates do.",
    )
    _topic("Imports", import_findings(snapshot), none="No run here was imported.")


def _ground(data: Data, snapshot: Snapshot) -> None:
    """Draw what there is without a run, too."""
    state = data.source.store_state(snapshot.names())
    _topic("Store", store_findings(state, snapshot), none="")
    _topic("This machine", _machine(), none="")


def _machine() -> Iterable[Finding]:
    try:
        return list(machine_findings(home(), now_s=time.time()))
    except NoHomeError as error:
        return [Finding(subject="folder", health=Health.WARN, says=f"cannot tell: {error}")]


def _readings(data: Data, snapshot: Snapshot) -> dict[str, dict[str, float]]:
    run_ids = snapshot.runs["run_id"].to_list()
    return last_readings(data.source.points(run_ids, COSTS))


def _topic(title: str, findings: Iterable[Finding], *, none: str) -> None:
    st.subheader(title, anchor=False)
    found = worst_first(list(findings))
    if not found:
        note(none)
        return
    st.table(rows_of(found[:_MOST]), hide_index=True, border="horizontal", alt=f"{title}: how each is")
    note(phrases.cut(min(_MOST, len(found)), len(found), "lines", rest="The worst stand first."))


def rows_of(findings: Sequence[Finding]) -> pl.DataFrame:
    r"""Return the rows of a table in markdown: what, how it is, what was found and what would help.

    >>> finding = Finding(subject="a|b", health=Health.OK, says="[x](y)", remedy="Run `grokscope sync`.")
    >>> rows_of([finding]).row(0)
    ('a\\|b', ':green-badge[fine]', '\\[x\\]\\(y\\)', 'Run `grokscope sync`\\.')
    """
    rows = [
        (
            escape(finding.subject, limit=80),
            _WORDS[finding.health],
            escape(finding.says, limit=_LONGEST),
            _remedy(finding.remedy),
        )
        for finding in findings
    ]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("what", "is", "found", "what would help"), pl.String), orient="row"
    )


def _remedy(text: str) -> str:
    """Return a remedy with its commands as code."""
    words = (_code(part) if _CODE.fullmatch(part) else _escaped(part) for part in _CODE.split(text))
    return "".join(words)


def _code(part: str) -> str:
    return f"`{plain(part.strip('`'))}`"


def _escaped(part: str) -> str:
    before, after = (" " if part[at : at + 1 or None] == " " else "" for at in (0, -1))
    return f"{before}{escape(part, limit=_LONGEST)}{after}"

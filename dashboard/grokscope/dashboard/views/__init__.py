"""The five pages. Each is a ``render(data) -> None``."""

from collections.abc import Callable
from dataclasses import dataclass

from grokscope.dashboard.data import Data
from grokscope.dashboard.views import compare, leads, live, run, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page: its name in the address, its title and what draws it."""

    name: str
    title: str
    render: Callable[[Data], None]


VIEWS = (
    View(name="live", title="Live", render=live.render),
    View(name="runs", title="Runs", render=runs.render),
    View(name="compare", title="Compare", render=compare.render),
    View(name="run", title="Run", render=run.render),
    View(name="leads", title="Leads", render=leads.render),
)

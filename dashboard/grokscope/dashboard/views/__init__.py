"""The five pages. Each is a ``render(data) -> None``."""

from collections.abc import Callable
from dataclasses import dataclass

from grokscope.dashboard.state.data import Data
from grokscope.dashboard.views.compare import page as compare
from grokscope.dashboard.views.leads import page as leads
from grokscope.dashboard.views.live import page as live
from grokscope.dashboard.views.run import page as run
from grokscope.dashboard.views.runs import page as runs


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

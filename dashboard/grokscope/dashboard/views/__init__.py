"""The seven pages. Each is a ``render(data) -> None``."""

from collections.abc import Callable
from dataclasses import dataclass

from grokscope.dashboard.state.data import Data
from grokscope.dashboard.views.compare import page as compare
from grokscope.dashboard.views.health import page as health
from grokscope.dashboard.views.interventions import page as interventions
from grokscope.dashboard.views.live import page as live
from grokscope.dashboard.views.measures import page as measures
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
    View(name="interventions", title="Interventions", render=interventions.render),
    View(name="run", title="Run", render=run.render),
    View(name="measures", title="Measures", render=measures.render),
    View(name="health", title="Health", render=health.render),
)

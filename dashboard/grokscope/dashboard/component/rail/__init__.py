"""The rail on every page: which experiments, which of their runs, grouped by what, and which groups."""

from grokscope.dashboard.component.rail.drawing import rail as rail
from grokscope.dashboard.component.rail.experiments import experiments as experiments
from grokscope.dashboard.component.rail.following import address as address
from grokscope.dashboard.component.rail.following import write as write
from grokscope.dashboard.component.rail.narrowing import Narrowing as Narrowing
from grokscope.dashboard.component.rail.views import views as views

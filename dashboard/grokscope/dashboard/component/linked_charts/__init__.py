"""Charts that are zoomed and read together in the browser, without asking the server."""

from grokscope.dashboard.component.linked_charts.dated import DatedChart as DatedChart
from grokscope.dashboard.component.linked_charts.dated import DatedMark as DatedMark
from grokscope.dashboard.component.linked_charts.dated import Decided as Decided
from grokscope.dashboard.component.linked_charts.dated import dated_chart as dated_chart
from grokscope.dashboard.component.linked_charts.element import Reported as Reported
from grokscope.dashboard.component.linked_charts.element import linked_charts as linked_charts

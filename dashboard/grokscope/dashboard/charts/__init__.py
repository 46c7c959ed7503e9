"""Pure charts: frames in, ``alt.Chart`` out. No Streamlit, no reading."""

from grokscope.dashboard.charts.elements.averages import AVERAGE_SCHEMA as AVERAGE_SCHEMA
from grokscope.dashboard.charts.elements.averages import averaged as averaged
from grokscope.dashboard.charts.elements.averages import of_most as of_most
from grokscope.dashboard.charts.elements.averages import thinned_averages as thinned_averages
from grokscope.dashboard.charts.elements.axes import StepAxis as StepAxis
from grokscope.dashboard.charts.elements.axes import ceiling as ceiling
from grokscope.dashboard.charts.elements.downsample import LIMIT as LIMIT
from grokscope.dashboard.charts.elements.downsample import thinned as thinned
from grokscope.dashboard.charts.elements.marks import MARKS_SCHEMA as MARKS_SCHEMA
from grokscope.dashboard.charts.elements.marks import marks_of as marks_of
from grokscope.dashboard.charts.elements.palette import DARK as DARK
from grokscope.dashboard.charts.elements.palette import LIGHT as LIGHT
from grokscope.dashboard.charts.elements.palette import Palette as Palette
from grokscope.dashboard.charts.elements.quantity import quantity_of as quantity_of
from grokscope.dashboard.charts.groups import group_chart as group_chart
from grokscope.dashboard.charts.run.panel import panel_chart as panel_chart
from grokscope.dashboard.charts.timeline import timeline_chart as timeline_chart

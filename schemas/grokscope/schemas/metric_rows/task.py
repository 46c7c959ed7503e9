"""Quantities that need to know the task: what the mechanism being learned looks like."""

from grokscope.schemas.metric_row import Metric

ROWS: tuple[Metric, ...] = ()

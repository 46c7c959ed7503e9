"""Quantities of the loss surface around the parameters: dear, read some twenty times a run."""

from grokscope.schemas.metric_row import Metric

ROWS: tuple[Metric, ...] = ()

"""Quantities of attention heads, of language models and of routers."""

from grokscope.schemas.metric_row import Metric

ROWS: tuple[Metric, ...] = ()

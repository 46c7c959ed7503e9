"""Quantities of gradients and of what the optimizer does with them."""

from grokscope.schemas.metric_row import Metric

ROWS: tuple[Metric, ...] = (
    Metric(family="gradients", quantity="norm", label="gradient norm", unit="1", low=0.0),
    Metric(family="updates", quantity="ratio", label="update norm / weight norm", unit="1", low=0.0),
)

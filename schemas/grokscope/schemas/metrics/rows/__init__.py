"""The rows of the table of metrics, a module a kind."""

from grokscope.schemas.metrics.measure import Metric
from grokscope.schemas.metrics.rows import (
    attention,
    curvature,
    curves,
    detector,
    progress,
    representation,
    task,
    updates,
    weights,
)

ALL: tuple[Metric, ...] = (
    *curves.ROWS,
    *weights.ROWS,
    *updates.ROWS,
    *representation.ROWS,
    *attention.ROWS,
    *curvature.ROWS,
    *task.ROWS,
    *progress.ROWS,
    *detector.ROWS,
)

"""How far the run has come, and what watching it has cost."""

from grokscope.schemas.metrics.measure import Metric

ROWS: tuple[Metric, ...] = (
    Metric(family="progress", quantity="examples", label="examples seen", unit="examples", low=0.0),
    Metric(family="progress", quantity="tokens", label="tokens seen", unit="tokens", low=0.0),
    Metric(family="progress", quantity="flops", label="training FLOPs", unit="FLOP", low=0.0),
    Metric(family="progress", quantity="seconds", label="time since the run began", unit="s", low=0.0),
    Metric(family="progress", quantity="epochs", label="epochs", unit="epochs", low=0.0),
    Metric(family="collector", quantity="seconds", label="time spent measuring, so far", unit="s", low=0.0),
    Metric(
        family="collector",
        quantity="share",
        label="share of run time spent measuring",
        unit="1",
        low=0.0,
        high=1.0,
    ),
    Metric(
        family="collector",
        quantity="skipped",
        label="costly readings skipped to keep to the budget",
        unit="readings",
        low=0.0,
    ),
    Metric(family="collector", quantity="dropped", label="points lost on the way", unit="points", low=0.0),
)

"""Quantities of hidden activations."""

from grokscope.schemas.metric_row import Direction, Metric, Tier

ROWS: tuple[Metric, ...] = (
    Metric(
        family="representation",
        quantity="nc1",
        label="within-class / between-class scatter (NC1)",
        unit="1",
        direction=Direction.DOWN,
        low=0.0,
        tier=Tier.CHEAP,
        source="Papyan et al. 2020, arXiv:2008.08186",
    ),
)

"""What an online detector said during training."""

from grokscope.schemas.metrics.measure import Metric
from grokscope.schemas.verdicts.transition import Kind

ROWS: tuple[Metric, ...] = tuple(
    Metric(
        family="detector",
        quantity=kind.value,
        label=f"{kind.value.replace('_', ' ')}, said live: 1 suspected, 2 confirmed, 0 withdrawn",
        unit="1",
        low=0.0,
        high=2.0,
    )
    for kind in Kind
)

"""Quantities of attention heads, of language models and of routers."""

from grokscope.schemas.metrics.measure import CURVE, Direction, Metric, Tier

_OLSSON = "Olsson et al. 2022, arXiv:2209.11895"
_LI = "Li, Fan & Zhou 2025, arXiv:2506.21551"

ROWS: tuple[Metric, ...] = (
    Metric(
        family="attention",
        quantity="entropy",
        label="entropy of attention",
        unit="nats",
        low=0.0,
        tier=Tier.CHEAP,
        source="Zhai et al. 2023, arXiv:2303.06296",
    ),
    Metric(
        family="attention",
        quantity="previous_token",
        label="attention to the token before",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
        source=_OLSSON,
    ),
    Metric(
        family="attention",
        quantity="prefix_matching",
        label="attention to what followed the same token",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
        source=_OLSSON,
    ),
    Metric(
        family=CURVE,
        quantity="in_context_score",
        label="loss late minus loss early in the context",
        unit="nats",
        direction=Direction.DOWN,
        source=_OLSSON,
    ),
    Metric(
        family="routing",
        quantity="entropy",
        label="normalised entropy of the router",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
        source="common practice",
    ),
    Metric(
        family="routing",
        quantity="load_balance",
        label="evenness of the experts' load",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
        source="Shazeer et al. 2017, arXiv:1701.06538",
    ),
    Metric(
        family="routing",
        quantity="dead_experts",
        label="share of experts without a token",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
        source="Shazeer et al. 2017, arXiv:1701.06538",
    ),
    Metric(
        family="routing",
        quantity="pathway_consistency",
        label="likeness of experts in consecutive layers",
        unit="1",
        low=-1.0,
        high=1.0,
        tier=Tier.CHEAP,
        source=_LI,
    ),
)

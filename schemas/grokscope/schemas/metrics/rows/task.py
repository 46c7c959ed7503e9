"""Quantities that need to know the task: what the mechanism being learned looks like."""

from grokscope.schemas.metrics.measure import Direction, Metric, Tier

_NANDA = "Nanda et al. 2023, arXiv:2301.05217"


def _row(  # noqa: PLR0913 - one line of a table
    quantity: str,
    label: str,
    unit: str = "1",
    *,
    source: str,
    low: float | None = 0.0,
    high: float | None = 1.0,
    direction: Direction = Direction.NONE,
) -> Metric:
    return Metric(
        family="task",
        quantity=quantity,
        label=label,
        unit=unit,
        direction=direction,
        low=low,
        high=high,
        tier=Tier.CHEAP,
        source=source,
    )


ROWS: tuple[Metric, ...] = (
    _row("fourier_gini", "Gini of the embedding's frequencies", source=_NANDA),
    _row("fourier_top_share", "power of the embedding's key frequencies", source=_NANDA),
    _row(
        "key_frequencies",
        "frequencies above twice an equal share",
        "frequencies",
        high=None,
        source=_NANDA,
    ),
    _row(
        "frequency_ipr",
        "inverse participation of the units' frequencies",
        source="Doshi et al. 2023, arXiv:2310.13061",
    ),
    _row(
        "parallelogram_share",
        "embedding parallelograms that close (RQI)",
        source="Liu et al. 2022, arXiv:2205.10343",
    ),
    _row(
        "sum_share",
        "share of the logits' variance that depends on the sum",
        direction=Direction.UP,
        source=f"after {_NANDA}",
    ),
    _row("restricted_loss", "loss with the key frequencies only", "nats", high=None, source=_NANDA),
    _row("excluded_loss", "train loss without the key frequencies", "nats", high=None, source=_NANDA),
    _row(
        "relevant_mass",
        "first-layer weight on the relevant bits",
        direction=Direction.UP,
        source="Merrill et al. 2023, arXiv:2303.11873",
    ),
    _row(
        "parity_correlation",
        "correlation of the output with the secret parity",
        low=-1.0,
        direction=Direction.UP,
        source="Barak et al. 2022, arXiv:2207.08799",
    ),
)

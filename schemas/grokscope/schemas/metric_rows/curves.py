"""Quantities of a split, from the logits of one forward pass."""

from grokscope.schemas.metric_row import CURVE, Direction, Metric

ROWS: tuple[Metric, ...] = (
    Metric(
        family=CURVE, quantity="loss", label="cross-entropy", unit="nats", direction=Direction.DOWN, low=0.0
    ),
    Metric(
        family=CURVE,
        quantity="batch_loss",
        label="loss of the batch",
        unit="nats",
        direction=Direction.DOWN,
        low=0.0,
    ),
    Metric(
        family=CURVE,
        quantity="accuracy",
        label="accuracy",
        unit="1",
        direction=Direction.UP,
        low=0.0,
        high=1.0,
    ),
    Metric(
        family=CURVE,
        quantity="mrr",
        label="mean reciprocal rank of the true class",
        unit="1",
        direction=Direction.UP,
        low=0.0,
        high=1.0,
        source="Voorhees 1999",
    ),
    Metric(family=CURVE, quantity="margin", label="mean logit margin", unit="logit", direction=Direction.UP),
    *(
        Metric(
            family=CURVE,
            quantity=f"log_probability_q{q}",
            label=f"log-probability of the true class, {q} % quantile",
            unit="nats",
            direction=Direction.UP,
            high=0.0,
        )
        for q in (10, 50, 90)
    ),
    Metric(
        family=CURVE,
        quantity="information",
        label="temperature-calibrated information",
        unit="1",
        direction=Direction.UP,
        low=0.0,
        high=1.0,
        source="Guo et al. 2017, arXiv:1706.04599",
    ),
    Metric(
        family=CURVE,
        quantity="temperature",
        label="temperature that calibrates the logits",
        unit="1",
        low=0.0,
        source="Guo et al. 2017, arXiv:1706.04599",
    ),
    Metric(family=CURVE, quantity="logit_scale", label="mean norm of centred logits", unit="logit", low=0.0),
    Metric(
        family=CURVE,
        quantity="zero_loss_share",
        label="share of examples whose loss is exactly 0",
        unit="1",
        low=0.0,
        high=1.0,
        source="Prieto et al. 2025, arXiv:2501.04697",
    ),
)

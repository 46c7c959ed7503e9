"""Quantities of gradients and of what the optimizer does with them."""

from grokscope.schemas.metrics.measure import Metric, Tier

_XU_WINDOW = "Xu 2026, arXiv:2603.28964"
_XU_DECAY = "Xu 2026, arXiv:2604.07380"
_THILAK = "Thilak et al. 2022, arXiv:2206.04817"

ROWS: tuple[Metric, ...] = (
    Metric(family="gradients", quantity="norm", label="gradient norm", unit="1", low=0.0),
    Metric(
        family="gradients",
        quantity="alignment",
        label="cosine of -gradient and parameters (NLM alignment)",
        unit="1",
        low=-1.0,
        high=1.0,
        source="Prieto et al. 2025, arXiv:2501.04697",
    ),
    Metric(
        family="gradients",
        quantity="noise_scale",
        label="gradient noise scale tr Σ / ‖G‖²",
        unit="examples",
        low=0.0,
        tier=Tier.CHEAP,
        source="McCandlish et al. 2018, arXiv:1812.06162",
    ),
    Metric(family="updates", quantity="ratio", label="update norm / weight norm", unit="1", low=0.0),
    Metric(
        family="updates",
        quantity="gradient_share",
        label="share of the update's energy from the gradient, not from decay",
        unit="1",
        low=0.0,
        high=1.0,
        source=_XU_DECAY,
    ),
    Metric(
        family="updates",
        quantity="decay_cosine",
        label="cosine of the gradient's and decay's part of the update",
        unit="1",
        low=-1.0,
        high=1.0,
        source=_XU_DECAY,
    ),
    Metric(family="updates", quantity="learning_rate", label="learning rate", unit="1", low=0.0),
    *(
        Metric(
            family="updates",
            quantity=f"second_moment_q{q}",
            label=f"Adam's √v̂, {q} % quantile",
            unit="1",
            low=0.0,
            source=_THILAK,
        )
        for q in (10, 50, 90)
    ),
    Metric(
        family="updates",
        quantity="below_epsilon_share",
        label="share of parameters with √v̂ below Adam's ε",
        unit="1",
        low=0.0,
        high=1.0,
        source=_THILAK,
    ),
    Metric(
        family="updates",
        quantity="first_share",
        label="share of recent updates in their first direction",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
        source=_XU_WINDOW,
    ),
    Metric(
        family="updates",
        quantity="first_gap",
        label="σ₁/σ₂ of recent updates",
        unit="1",
        low=1.0,
        tier=Tier.CHEAP,
        source=_XU_WINDOW,
    ),
    Metric(
        family="updates",
        quantity="second_gap",
        label="σ₂/σ₃ of recent updates",
        unit="1",
        low=1.0,
        tier=Tier.CHEAP,
        source=_XU_WINDOW,
    ),
)

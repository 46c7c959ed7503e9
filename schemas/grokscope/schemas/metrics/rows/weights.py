"""Quantities of the parameters."""

from grokscope.schemas.metrics.measure import Metric, Tier

ROWS: tuple[Metric, ...] = (
    Metric(family="weights", quantity="norm", label="weight norm", unit="1", low=0.0),
    Metric(
        family="weights",
        quantity="distance_from_init",
        label="distance from initialisation",
        unit="1",
        low=0.0,
    ),
    Metric(
        family="weights",
        quantity="angle_from_init",
        label="angle from initialisation",
        unit="rad",
        low=0.0,
        high=3.1416,
        source="arXiv:2605.18845",
    ),
    Metric(
        family="weights",
        quantity="spectral_norm",
        label="spectral norm",
        unit="1",
        low=0.0,
        tier=Tier.CHEAP,
    ),
    Metric(
        family="weights",
        quantity="stable_rank",
        label="stable rank (Σσ² / σ₁²)",
        unit="dimensions",
        low=1.0,
        tier=Tier.CHEAP,
        source="Rudelson & Vershynin 2007",
    ),
    Metric(
        family="weights",
        quantity="top_energy",
        label="share of Σσ² in the ten strongest directions",
        unit="1",
        low=0.0,
        high=1.0,
        tier=Tier.CHEAP,
    ),
    Metric(
        family="weights",
        quantity="effective_rank",
        label="effective rank (entropy of σ)",
        unit="dimensions",
        low=1.0,
        tier=Tier.CHEAP,
        source="Roy & Vetterli 2007",
    ),
    Metric(
        family="weights",
        quantity="participation_ratio",
        label="participation ratio of σ²",
        unit="dimensions",
        low=1.0,
        tier=Tier.CHEAP,
    ),
)

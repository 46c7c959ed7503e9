"""Quantities of hidden activations."""

from grokscope.schemas.metrics.measure import Direction, Metric, Tier

_PAPYAN = "Papyan et al. 2020, arXiv:2008.08186"
_KORNBLITH = "Kornblith et al. 2019, arXiv:1905.00414"
_MERRILL = "Merrill et al. 2023, arXiv:2303.11873"


def _row(  # noqa: PLR0913 - the columns of the table that vary here
    quantity: str,
    label: str,
    *,
    source: str,
    unit: str = "1",
    low: float | None = 0.0,
    high: float | None = None,
    direction: Direction = Direction.NONE,
) -> Metric:
    return Metric(
        family="representation",
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
    _row("nc1", "within-class / between-class scatter (NC1)", source=_PAPYAN, direction=Direction.DOWN),
    _row("nc2_norms", "variation of the class means' norms (NC2)", source=_PAPYAN, direction=Direction.DOWN),
    _row("nc2_angles", "class means' angles from a simplex (NC2)", source=_PAPYAN, direction=Direction.DOWN),
    _row(
        "nc3",
        "distance of classifier and class means (NC3)",
        source=_PAPYAN,
        high=2.0,
        direction=Direction.DOWN,
    ),
    _row(
        "nc4",
        "disagreement with the nearest class mean (NC4)",
        source=_PAPYAN,
        high=1.0,
        direction=Direction.DOWN,
    ),
    _row(
        "participation_ratio",
        "participation ratio of the covariance",
        source="Gao et al. 2017",
        unit="dimensions",
        low=1.0,
    ),
    _row(
        "spectral_entropy",
        "normalised entropy of the covariance's spectrum",
        source="Truong et al. 2026, arXiv:2604.13123",
        high=1.0,
    ),
    _row(
        "alpha_req",
        "decay exponent of the covariance's spectrum (α-ReQ)",
        source="Agrawal et al. 2022",
        low=None,
    ),
    _row("rankme", "RankMe", source="Garrido et al. 2023, arXiv:2210.02885", unit="dimensions", low=1.0),
    _row(
        "intrinsic_dimension",
        "intrinsic dimension (TwoNN)",
        source="Facco et al. 2017, Sci. Rep. 7:12140",
        unit="dimensions",
    ),
    _row(
        "probe_accuracy",
        "accuracy of a ridge probe fit on train",
        source="Chou et al. 2026, arXiv:2605.27078",
        high=1.0,
        direction=Direction.UP,
    ),
    _row("cka_init", "CKA with the first reading", source=_KORNBLITH, low=None, high=1.0),
    _row("cka_previous", "CKA with the reading before", source=_KORNBLITH, low=None, high=1.0),
    _row("cka_reference", "CKA with a reference", source=_KORNBLITH, low=None, high=1.0),
    _row("dead_units", "share of units that are never active", source=_MERRILL, high=1.0),
    _row("sparsity", "share of activations at 0", source=_MERRILL, high=1.0),
    _row("unit_gini", "Gini coefficient of the units' norms", source=_MERRILL, high=1.0),
)

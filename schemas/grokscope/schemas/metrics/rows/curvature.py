"""Quantities of the loss surface and of complexity: dear, read some twenty times a run."""

from grokscope.schemas.metrics.measure import Direction, Metric, Tier

_SHARPNESS = "Cohen et al. 2021, arXiv:2103.00065"
_PRECONDITIONED = "Cohen et al. 2022, arXiv:2207.14484"
_HUTCHINSON = "Hutchinson 1989"
_LLC = "Lau et al. 2023, arXiv:2308.12108"
_HEAVY_TAILS = "Martin & Mahoney 2021, arXiv:1810.01075"
_COMPRESSION = "DeMoss et al. 2024, arXiv:2412.09810"
_DROPOUT = "Salah & Yevick 2025, arXiv:2507.11645"


def _row(  # noqa: PLR0913 - one line of a table
    key: str,
    label: str,
    unit: str,
    *,
    source: str,
    low: float | None = None,
    high: float | None = None,
    direction: Direction = Direction.NONE,
) -> Metric:
    family, _, quantity = key.partition("/")
    return Metric(
        family=family,
        quantity=quantity,
        label=label,
        unit=unit,
        direction=direction,
        low=low,
        high=high,
        tier=Tier.COSTLY,
        source=source,
    )


ROWS: tuple[Metric, ...] = (
    _row("curvature/sharpness", "sharpness: largest Hessian eigenvalue", "1", source=_SHARPNESS),
    _row(
        "curvature/sharpness_residual",
        "residual of the sharpness, relative",
        "1",
        low=0.0,
        source="Knyazev 2001, doi:10.1137/S1064827500366124",
    ),
    _row(
        "curvature/sharpness_iterations",
        "Hessian products for the sharpness",
        "products",
        low=1.0,
        source="Knyazev 2001, doi:10.1137/S1064827500366124",
    ),
    _row(
        "curvature/preconditioned_sharpness",
        "sharpness as the optimizer's preconditioner sees it",
        "1",
        source=_PRECONDITIONED,
    ),
    _row(
        "curvature/edge_ratio",
        "sharpness / edge of stability",
        "1",
        source=_PRECONDITIONED,
    ),
    _row("curvature/trace", "trace of the Hessian", "1", source=_HUTCHINSON),
    _row("curvature/trace_error", "standard error of the trace", "1", low=0.0, source=_HUTCHINSON),
    _row(
        "curvature/relative_flatness",
        "relative flatness of the last layer (0 is flat)",
        "1",
        low=0.0,
        direction=Direction.DOWN,
        source="Petzka et al. 2021, arXiv:2001.00939",
    ),
    _row("curvature/commutator", "commutator defect", "1", low=0.0, source="Xu 2026, arXiv:2602.16746"),
    _row("curvature/llc", "local learning coefficient", "dimensions", source=_LLC),
    _row("curvature/llc_error", "standard error of the LLC", "dimensions", low=0.0, source=_LLC),
    _row(
        "curvature/llc_r_hat",
        "R-hat of the LLC's chains",
        "1",
        low=0.0,
        source="Vehtari et al. 2021, arXiv:1903.08008",
    ),
    _row(
        "curvature/llc_acceptance",
        "acceptance of the LLC's steps",
        "1",
        low=0.0,
        high=1.0,
        source="Roberts & Tweedie 1996",
    ),
    _row(
        "curvature/kernel_alignment",
        "alignment of the tangent kernel with the labels",
        "1",
        low=-1.0,
        high=1.0,
        direction=Direction.UP,
        source="Cortes et al. 2012, JMLR 13:795",
    ),
    _row(
        "weights/tail_exponent",
        "power-law exponent of the eigenvalues (α)",
        "1",
        low=1.0,
        source=_HEAVY_TAILS,
    ),
    _row("weights/tail_count", "eigenvalues in the power-law tail", "values", low=0.0, source=_HEAVY_TAILS),
    _row(
        "weights/correlation_traps",
        "eigenvalues of the shuffled matrix beyond the bulk",
        "values",
        low=0.0,
        source="Martin & Prakash 2026, arXiv:2602.02859",
    ),
    _row("weights/compressed_bits", "compressed size a parameter", "bits", low=0.0, source=_COMPRESSION),
    _row("weights/coarsest_step", "coarsest rounding at the same loss", "1", low=0.0, source=_COMPRESSION),
    _row(
        "weights/circuit_complexity",
        "divergence when 10 % of the weights are cut",
        "nats",
        low=0.0,
        source="after Golechha 2024, arXiv:2405.12755",
    ),
    _row(
        "representation/o_information",
        "O-information (below 0: synergy)",
        "nats",
        source="Clauw et al. 2024, arXiv:2408.08944",
    ),
    _row(
        "representation/local_complexity",
        "units that change sides near a sample",
        "units",
        low=0.0,
        source="Humayun et al. 2024, arXiv:2402.15555",
    ),
    _row(
        "representation/dropout_accuracy",
        "mean accuracy under dropout",
        "1",
        low=0.0,
        high=1.0,
        direction=Direction.UP,
        source=_DROPOUT,
    ),
    _row(
        "representation/dropout_variance",
        "variance of the accuracy under dropout",
        "1",
        low=0.0,
        source=_DROPOUT,
    ),
)

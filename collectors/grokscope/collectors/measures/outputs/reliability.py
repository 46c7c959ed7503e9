"""How far a model's confidence can be trusted, on the data of training or under shift."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.tensors.predictions import checked_predictions
from grokscope.schemas import Direction, Measure


def brier_score(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the Brier score: 0 knows every target for sure, 2 is sure of something else each time.

        (1/N) Σᵢ Σ_c (p_ic - [yᵢ = c])²

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [0, 2], no synchronisation; NaN if a logit is NaN.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Brier 1950. Cost: one softmax pass and one pass.

    >>> brier_score(torch.zeros(1, 2), torch.tensor([0]))
    tensor(0.5000)
    """
    logits, targets = checked_predictions(logits, targets)
    share = logits.softmax(dim=1)
    # What the true class lacks is what the others hold: 1 - p_y would lose the digits of a small score.
    others = share.scatter(1, targets.unsqueeze(1), 0)
    return (others.square().sum(dim=1) + others.sum(dim=1).square()).mean()


def calibration_error(logits: Tensor, targets: Tensor, *, bins: int = 15) -> Tensor:
    """Return the expected calibration error: how far confidence and accuracy are apart, bin by bin.

        Σ_b (n_b / N) |accuracy of bin b - mean confidence of bin b|,  bins ((b-1)/B, b/B] of max_c p_c

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.
        bins: B, of equal width.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN if a logit is NaN.

    Raises:
        ValueError: If ``bins`` is less than 1, there are no samples, fewer than two classes, or shapes or
            types do not match.

    Source: Naeini et al. 2015; of networks: Guo et al. 2017, arXiv:1706.04599. Cost: one softmax pass.

    >>> calibration_error(torch.tensor([[50.0, 0.0], [50.0, 0.0]]), torch.tensor([0, 1]))
    tensor(0.5000)
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}; 15 are common")
    confidence, is_right = _sureness(logits, targets)
    bin_of = ((confidence * bins).ceil().nan_to_num(1) - 1).clamp(0, bins - 1).long()
    gaps = confidence.new_zeros(bins).index_add_(0, bin_of, is_right - confidence)
    return gaps.abs().sum() / len(confidence)


def risk_coverage(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the area under the risk-coverage curve: the error rate, averaged over how much is answered.

        (1/N) Σ_k (errors among the k most confident samples) / k

    The error rate if confidence tells nothing, less if errors are unsure. Equal confidences count in the
    order of the samples.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN if a logit is NaN.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Geifman & El-Yaniv 2017, arXiv:1705.08500. Cost: one softmax pass and a sort of N values.

    >>> risk_coverage(torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    tensor(0.2500)
    """
    confidence, is_right = _sureness(logits, targets)
    order = confidence.argsort(descending=True, stable=True)
    answered = torch.arange(1, len(order) + 1, device=order.device, dtype=confidence.dtype)
    risk = ((1 - is_right[order]).cumsum(dim=0) / answered).mean()
    return torch.where(confidence.isnan().any(), torch.nan, risk)


def _sureness(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return each sample's largest probability, and 1 where its class is the true one, else 0."""
    logits, targets = checked_predictions(logits, targets)
    confidence, said = logits.softmax(dim=1).max(dim=1)
    return confidence, (said == targets).to(confidence.dtype)


BRIER = Measure(
    key="<split>/brier",
    label="Brier score",
    unit="1",
    low=0.0,
    high=2.0,
    direction=Direction.DOWN,
    formula=formula_of(brier_score),
    source="Brier 1950",
)
CALIBRATION_ERROR = Measure(
    key="<split>/calibration_error",
    label="expected calibration error",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.DOWN,
    formula=formula_of(calibration_error),
    source="Guo et al. 2017, arXiv:1706.04599",
)
RISK_COVERAGE = Measure(
    key="<split>/risk_coverage",
    label="error rate averaged over coverage",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.DOWN,
    formula=formula_of(risk_coverage),
    source="Geifman & El-Yaniv 2017, arXiv:1705.08500",
)


@gives(BRIER, CALIBRATION_ERROR, RISK_COVERAGE)
def reliability() -> MeasureFn:
    """Return the instrument of ``<split>/brier``, ``calibration_error`` and ``risk_coverage``.

    Meant for splits under shift (``shift:<name>``), where a model may be as sure as ever and wrong.

    Source: Guo et al. 2017, arXiv:1706.04599. Cost: three passes over the logits, free.

    >>> list(reliability()(StepContext(step=0, model=torch.nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, seen in context.passes.items():
            values |= {
                BRIER.at(split): brier_score(seen.logits, seen.targets),
                CALIBRATION_ERROR.at(split): calibration_error(seen.logits, seen.targets),
                RISK_COVERAGE.at(split): risk_coverage(seen.logits, seen.targets),
            }
        return values

    return measure

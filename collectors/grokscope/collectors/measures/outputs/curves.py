"""Measures of one split, from logits ``[N, C]`` and targets ``[N]`` alone: free with the evaluation pass."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.outputs.calibration import INFORMATION, TEMPERATURE, calibrated_columns
from grokscope.collectors.measures.outputs.labels import EXACT_MATCH, exact_match
from grokscope.collectors.measures.outputs.margins import (
    LOGIT_SCALE,
    MARGIN,
    RELATIVE_MARGIN,
    margins_of,
    relative_of,
)
from grokscope.collectors.measures.outputs.ranks import ACCURACY, MRR, reciprocal_ranks, right_of
from grokscope.collectors.tensors.predictions import checked_predictions
from grokscope.collectors.tensors.sorting import ascending
from grokscope.schemas import Direction, Measure

_QUANTILES = (10, 50, 90)


def curve_measures(
    logits: Tensor, targets: Tensor, *, examples: tuple[Tensor, int] | None = None
) -> dict[str, Tensor]:
    """Return every measure of this module and of ``calibration``, by quantity, sharing what they share.

    Args:
        logits: ``[N, C]``; half precision is widened to single first.
        targets: ``[N]`` class indices.
        examples: Where an example has several targets, the example of each ``[N]`` and how many there are;
            adds ``exact_match``.

    Returns:
        Scalar tensors on the logits' device (no synchronisation), keyed as in ``schemas.metrics``.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: each measure's own. Cost: some seven softmax passes over the logits, no forward pass.

    >>> measures = curve_measures(torch.eye(2), torch.tensor([0, 1]))
    >>> measures["accuracy"], measures["margin"], measures["loss"]
    (tensor(1.), tensor(1.), tensor(0.3133))
    """
    wide, targets = checked_predictions(logits, targets)
    log_probability = _log_probability(wide, targets)
    # Classes first: what is reduced over the first dimension runs several samples abreast.
    rows, columns = wide.T.contiguous(), targets.unsqueeze(0)
    calibrated, calibrating, spread = calibrated_columns(rows, columns)
    margins, norms = margins_of(rows, columns), spread * math.sqrt(len(rows))
    quantiles = _quantiles(log_probability, [q / 100 for q in _QUANTILES]).unbind()
    right, is_zero = _right(margins, rows, columns), _is_zero(logits, targets, log_probability)
    relative, reciprocal = relative_of(margins, norms), reciprocal_ranks(rows, columns)
    # One mean of seven rows, not seven means: on small splits what counts is how many kernels run.
    means = torch.stack([log_probability, right, reciprocal, margins, relative, norms, is_zero]).mean(dim=1)
    log_likelihood, accuracy, mrr, margin, relative_margin, logit_scale, zero_share = means.unbind()
    return {
        "loss": log_likelihood.abs(),  # never positive, so abs only turns -0 into 0
        "accuracy": accuracy,
        **({} if examples is None else {"exact_match": exact_match(right, examples[0], count=examples[1])}),
        "mrr": mrr,
        "margin": margin,
        "relative_margin": relative_margin,
        **{f"log_probability_q{q}": value for q, value in zip(_QUANTILES, quantiles, strict=True)},
        "information": calibrated,
        "temperature": calibrating,
        "logit_scale": logit_scale,
        "zero_loss_share": zero_share,
    }


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats: -(1/N) Σᵢ log softmax(zᵢ)[yᵢ].

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor, no synchronisation; NaN if a logit is NaN or +∞.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: one softmax pass.

    >>> loss(torch.zeros(3, 4), torch.tensor([0, 1, 2]))
    tensor(1.3863)
    """
    # Never positive, so abs only turns -0 into 0.
    return _log_probability(*checked_predictions(logits, targets)).mean().abs()


def log_probability_quantile(logits: Tensor, targets: Tensor, *, q: float) -> Tensor:
    """Return the ``q``-quantile over samples of the true class's log-probability, interpolated linearly.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.
        q: In [0, 1], dimensionless.

    Returns:
        Scalar tensor ≤ 0 in nats, no synchronisation; NaN if a logit is NaN.

    Raises:
        ValueError: If ``q`` is outside [0, 1], there are no samples, fewer than two classes, or shapes or
            types do not match.

    Source: definition. Cost: one softmax pass and a sort of N values.

    >>> log_probability_quantile(torch.zeros(3, 4), torch.tensor([0, 1, 2]), q=0.5)
    tensor(-1.3863)
    """
    if not 0 <= q <= 1:
        raise ValueError(f"q must lie in [0, 1], got {q}; a percentage is divided by 100")
    return _quantiles(_log_probability(*checked_predictions(logits, targets)), [q])[0]


def zero_loss_share(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the share of samples whose cross-entropy is exactly 0 in the logits' own precision.

    Such a sample has lost its gradient: softmax collapse, a reason to stop learning before generalization.
    Half-precision logits are not widened here: what counts is the loss that torch's own cross-entropy gives.

    Args:
        logits: ``[N, C]`` in the precision of the run.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; a NaN loss is not 0.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Prieto et al. 2025, arXiv:2501.04697. Cost: one softmax pass.

    >>> zero_loss_share(torch.tensor([[100.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0]))
    tensor(0.5000)
    """
    wide, targets = checked_predictions(logits, targets)
    return _is_zero(logits, targets, _log_probability(wide, targets)).mean()


def _log_probability(logits: Tensor, targets: Tensor) -> Tensor:
    return torch.log_softmax(logits, dim=1).gather(1, targets.unsqueeze(1)).squeeze(1)


def _right(margins: Tensor, rows: Tensor, targets: Tensor) -> Tensor:
    if margins.device.type == "cpu" and (margins.abs() > 0).all():  # no class is level with the true one
        return (margins > 0).to(margins.dtype)
    return right_of(rows, targets)


def _quantiles(values: Tensor, at: Sequence[float]) -> Tensor:
    ordered = ascending(values)
    between = torch.stack([_interpolated(ordered, q * (len(ordered) - 1)) for q in at])
    return torch.where(ordered[-1].isnan(), ordered[-1], between)  # sort puts NaN last


def _interpolated(ordered: Tensor, position: float) -> Tensor:
    below, part = math.floor(position), position - math.floor(position)
    if part == 0:  # never 0 · ∞: a class masked to -∞ has log-probability -∞
        return ordered[below]
    return torch.add(ordered[below] * (1 - part), ordered[below + 1], alpha=part)


def _is_zero(logits: Tensor, targets: Tensor, log_probability: Tensor) -> Tensor:
    is_widened = log_probability.dtype != logits.dtype
    own = _log_probability(logits.detach(), targets) if is_widened else log_probability
    return (own == 0).to(log_probability.dtype)


LOSS = Measure(
    key="<split>/loss",
    label="loss",
    unit="1",
    low=0.0,
    direction=Direction.DOWN,
    formula="-(1/N) Σᵢ log softmax(zᵢ)[yᵢ] in nats, or what Measuring(loss=...) or the targets say",
    around="train: leads by .11 (measured here); on test, shrinking logits alone lower it",
)
LOG_PROBABILITY_Q10 = Measure(
    key="<split>/log_probability_q10",
    label="log-probability of the true class, 10 % quantile",
    unit="nats",
    high=0.0,
    direction=Direction.UP,
    formula="10 % quantile over i of log softmax(zᵢ)[yᵢ]",
)
LOG_PROBABILITY_Q50 = Measure(
    key="<split>/log_probability_q50",
    label="log-probability of the true class, 50 % quantile",
    unit="nats",
    high=0.0,
    direction=Direction.UP,
    formula="50 % quantile over i of log softmax(zᵢ)[yᵢ]",
    around="leads (arXiv:2605.08237)",
)
LOG_PROBABILITY_Q90 = Measure(
    key="<split>/log_probability_q90",
    label="log-probability of the true class, 90 % quantile",
    unit="nats",
    high=0.0,
    direction=Direction.UP,
    formula="90 % quantile over i of log softmax(zᵢ)[yᵢ]",
)
ZERO_LOSS_SHARE = Measure(
    key="<split>/zero_loss_share",
    label="share of examples whose loss is exactly 0",
    unit="1",
    low=0.0,
    high=1.0,
    formula="(1/N) #{i : -log softmax(zᵢ)[yᵢ] = 0 in the logits' precision}",
    source="Prieto et al. 2025, arXiv:2501.04697",
    around="rises where learning stops for good (arXiv:2501.04697)",
)
CURVE_MEASURES = (
    LOSS,
    ACCURACY,
    EXACT_MATCH,
    MRR,
    MARGIN,
    RELATIVE_MARGIN,
    LOG_PROBABILITY_Q10,
    LOG_PROBABILITY_Q50,
    LOG_PROBABILITY_Q90,
    INFORMATION,
    TEMPERATURE,
    LOGIT_SCALE,
    ZERO_LOSS_SHARE,
)
"""What ``curve_measures`` gives, in its order; exact match where examples have several targets."""

"""Measures of one split, from logits ``[N, C]`` and targets ``[N]`` alone: free with the evaluation pass."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.outputs.calibration import calibrated_columns
from grokscope.collectors.tensors.predictions import checked_predictions
from grokscope.collectors.tensors.torch_stubs import vector_norm

_QUANTILES = (10, 50, 90)


def curve_measures(logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Return every measure of this module and of ``calibration``, by quantity, sharing what they share.

    Args:
        logits: ``[N, C]``; half precision is widened to single first.
        targets: ``[N]`` class indices.

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
    margins, norms = _margins(rows, columns), spread * math.sqrt(len(rows))
    quantiles = _quantiles(log_probability, [q / 100 for q in _QUANTILES]).unbind()
    return {
        "loss": _loss(log_probability),
        "accuracy": _accuracy(rows, columns),
        "mrr": _mrr(rows, columns),
        "margin": margins.mean(),
        "relative_margin": _relative(margins, norms),
        **{f"log_probability_q{q}": value for q, value in zip(_QUANTILES, quantiles, strict=True)},
        "information": calibrated,
        "temperature": calibrating,
        "logit_scale": norms.mean(),
        "zero_loss_share": _zero_share(logits, targets, log_probability),
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
    return _loss(_log_probability(*checked_predictions(logits, targets)))


def accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the share of samples whose largest logit is the true class.

    As with ``argmax``, the first of several equal largest logits is the prediction. A row with a NaN counts
    as wrong, so that a diverged model reads 0.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [0, 1], no synchronisation.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: one pass.

    >>> accuracy(torch.tensor([[0.0, 1.0], [3.0, 2.0]]), torch.tensor([1, 1]))
    tensor(0.5000)
    """
    return _accuracy(*_columns(logits, targets))


def mrr(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean reciprocal rank of the true class among the logits.

        MRR = (1/N) Σᵢ 1/rᵢ,  rᵢ = C - #{j : z_ij < z_iyᵢ}

    Ties are counted pessimistically: the true class ranks behind every class of equal logit, so that constant
    logits score 1/C. A NaN compares with nothing and ranks last. Sees the true class climb before it wins.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [1/C, 1], no synchronisation.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Voorhees 1999. Cost: one comparison and sum.

    >>> mrr(torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), torch.tensor([0, 1]))
    tensor(0.7500)
    """
    return _mrr(*_columns(logits, targets))


def margin(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean lead of the true class over its strongest rival: z_y - max_{j≠y} z_j.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in logits, negative where rivals lead, no synchronisation; NaN if a logit is NaN.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: one pass and one copy of the logits.

    >>> margin(torch.tensor([[5.0, 2.0, 1.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 0]))
    tensor(1.)
    """
    return _margins(*_columns(logits, targets)).mean()


def relative_margin(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean margin in units of each sample's logits: blind to their scale.

        (1/N) Σᵢ (z_iyᵢ - max_{j≠yᵢ} z_ij) / ‖zᵢ - mean(zᵢ)‖₂,  0/0 = 0

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [-√2, √2], no synchronisation; NaN if a logit is not finite.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: four passes and one copy of the logits.

    >>> relative_margin(torch.tensor([[3.0, 0.0], [30.0, 0.0]]), torch.tensor([0, 0]))
    tensor(1.4142)
    """
    rows, columns = _columns(logits, targets)
    return _relative(_margins(rows, columns), vector_norm(rows - rows.mean(dim=0), dim=0))


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


def logit_scale(logits: Tensor) -> Tensor:
    """Return the mean norm of the logits after each row's mean is taken away.

        s = (1/N) Σᵢ ‖zᵢ - mean(zᵢ)‖₂

    Args:
        logits: ``[N, C]``; an empty batch gives NaN.

    Returns:
        Scalar tensor in logits, no synchronisation; NaN if a logit is not finite.

    Source: definition. Cost: two passes.

    >>> logit_scale(torch.tensor([[4.0, 1.0, 1.0]]))
    tensor(2.4495)
    """
    return _logit_scale(logits.detach().to(torch.promote_types(logits.dtype, torch.float32)))


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
    return _zero_share(logits, targets, _log_probability(wide, targets))


def _log_probability(logits: Tensor, targets: Tensor) -> Tensor:
    return torch.log_softmax(logits, dim=1).gather(1, targets.unsqueeze(1)).squeeze(1)


def _loss(log_probability: Tensor) -> Tensor:
    return log_probability.mean().abs()  # never positive, so abs only turns -0 into 0


def _columns(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    wide, targets = checked_predictions(logits, targets)
    return wide.T, targets.unsqueeze(0)


def _accuracy(rows: Tensor, targets: Tensor) -> Tensor:
    own = rows.gather(0, targets)
    # The first class of the true one's logit, found as the largest of the classes counted from the end: a
    # comparison into numbers and a maximum cost a fifth of an argmax.
    from_end = torch.arange(len(rows), 0, -1, device=rows.device, dtype=rows.dtype).unsqueeze(1)
    first = len(rows) - torch.eq(rows, own, out=torch.empty_like(rows)).mul_(from_end).amax(dim=0)
    # A NaN is equal to nothing, so even a NaN true class is wrong.
    is_largest = own.squeeze(0) == rows.amax(dim=0)
    return (is_largest & (first == targets.squeeze(0))).to(rows.dtype).mean()


def _mrr(rows: Tensor, targets: Tensor) -> Tensor:
    below = torch.lt(rows, rows.gather(0, targets), out=torch.empty_like(rows)).sum(dim=0)
    return (len(rows) - below).reciprocal_().mean()


def _margins(rows: Tensor, targets: Tensor) -> Tensor:
    return rows.gather(0, targets).squeeze(0) - rows.scatter(0, targets, -torch.inf).amax(dim=0)


def _relative(margins: Tensor, norms: Tensor) -> Tensor:
    return (margins / torch.where(norms == 0, 1, norms)).mean()


def _quantiles(values: Tensor, at: Sequence[float]) -> Tensor:
    ordered = values.sort().values
    between = torch.stack([_interpolated(ordered, q * (len(ordered) - 1)) for q in at])
    return torch.where(ordered[-1].isnan(), ordered[-1], between)  # sort puts NaN last


def _interpolated(ordered: Tensor, position: float) -> Tensor:
    below, part = math.floor(position), position - math.floor(position)
    if part == 0:  # never 0 · ∞: a class masked to -∞ has log-probability -∞
        return ordered[below]
    return torch.add(ordered[below] * (1 - part), ordered[below + 1], alpha=part)


def _logit_scale(logits: Tensor) -> Tensor:
    return vector_norm(logits - logits.mean(dim=1, keepdim=True), dim=1).mean()


def _zero_share(logits: Tensor, targets: Tensor, log_probability: Tensor) -> Tensor:
    is_widened = log_probability.dtype != logits.dtype
    own = _log_probability(logits.detach(), targets) if is_widened else log_probability
    return (own == 0).to(log_probability.dtype).mean()

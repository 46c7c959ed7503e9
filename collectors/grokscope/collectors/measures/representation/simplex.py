"""Neural collapse beyond NC1: do class means form a simplex, do classifier and nearest mean agree with it?"""

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Direction, Measure, Tier


def class_means(features: Tensor, labels: Tensor, *, classes: int) -> Tensor:
    """Return the mean feature of each class.

    Args:
        features: ``[N, d]``.
        labels: ``[N]`` class indices in 0..classes-1 (not checked: that would synchronise).
        classes: C.

    Returns:
        ``[C, d]``, no synchronisation; NaN for a class without samples.

    Raises:
        ValueError: If shapes do not match or there are no samples.

    Source: definition. Cost: one pass over the features.

    >>> class_means(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([0, 0, 1]), classes=2)
    tensor([[2.],
            [5.]])
    """
    if features.ndim != 2 or labels.shape != features.shape[:1] or not labels.numel():  # noqa: PLR2004
        raise ValueError(
            f"features must be [N, d] and labels [N] with N at least 1, got {list(features.shape)} and "
            f"{list(labels.shape)}; flatten leading dimensions"
        )
    rows, labels = widened(features.detach()), labels.long()
    count = rows.new_zeros(classes).index_add_(0, labels, rows.new_ones(len(labels)))
    return rows.new_zeros(classes, rows.shape[1]).index_add_(0, labels, rows) / count.unsqueeze(1)


def nc2_norms(means: Tensor) -> Tensor:
    """Return how unequal the class means' distances from their centre are: their coefficient of variation.

        std_c ‖μ_c - μ‖ / mean_c ‖μ_c - μ‖,  0 is full collapse

    Args:
        means: ``[C, d]``, as from ``class_means``; a class of NaN is left out. μ is their plain mean.

    Returns:
        Scalar tensor ≥ 0, no synchronisation; NaN if all means agree.

    Source: NC2, Papyan et al. 2020, arXiv:2008.08186. Cost: two passes over C d values.

    >>> nc2_norms(torch.eye(3))
    tensor(0.)
    """
    norms = vector_norm(_centred(means), dim=1)
    mean = norms.nanmean()
    return (norms - mean).square().nanmean().sqrt() / mean


def nc2_angles(means: Tensor) -> Tensor:
    """Return how far the class means are from equal, widest angles.

        mean over c ≠ c' of |cos(μ_c - μ, μ_c' - μ) + 1/(C - 1)|,  0 is full collapse

    Args:
        means: ``[C, d]``, as from ``class_means``; a class of NaN is left out, C counts the others.

    Returns:
        Scalar tensor ≥ 0, no synchronisation; NaN if fewer than two classes or a mean at the centre.

    Source: NC2, Papyan et al. 2020, arXiv:2008.08186. Cost: O(C² d).

    >>> nc2_angles(torch.eye(3)) < 1e-6
    tensor(True)
    """
    centred = _centred(means)
    present = centred[:, 0].isnan().logical_not().to(centred.dtype)
    count = present.sum()
    directions = centred / vector_norm(centred, dim=1).unsqueeze(1)
    directions = torch.where(present.unsqueeze(1) > 0, directions, 0)
    off = (directions @ directions.mT + 1 / (count - 1)).abs() * torch.outer(present, present)
    return (off.sum() - off.diagonal().sum()) / (count * (count - 1))


def nc3(means: Tensor, weight: Tensor) -> Tensor:
    """Return the distance between the class means and the classifier, each scaled to norm 1 (self-duality).

        ‖W/‖W‖_F - M/‖M‖_F‖_F,  rows of M are μ_c - μ; 0 is full collapse, √2 no relation

    Args:
        means: ``[C, d]``, as from ``class_means``; a class of NaN is left out of both.
        weight: ``[C, d]`` of the linear layer that makes the logits.

    Returns:
        Scalar tensor in [0, 2], no synchronisation; NaN if either is 0.

    Raises:
        ValueError: If the shapes differ.

    Source: NC3, Papyan et al. 2020, arXiv:2008.08186. Cost: four passes over C d values.

    >>> means = torch.eye(3)
    >>> nc3(means, 2 * (means - means.mean(dim=0)))
    tensor(0.)
    """
    if means.shape != weight.shape:
        raise ValueError(
            f"means and classifier must both be [C, d], got {list(means.shape)} and {list(weight.shape)}"
        )
    centred = _centred(means)
    is_absent = centred.isnan()
    pair = [torch.where(is_absent, 0, part) for part in (widened(weight.detach()), centred)]
    first, second = (part / vector_norm(part) for part in pair)
    return vector_norm(first - second)


def nc4(features: Tensor, logits: Tensor, means: Tensor) -> Tensor:
    """Return how often the model decides otherwise than the nearest class mean would.

        share of samples with argmax_c z_c ≠ argmin_c ‖h - μ_c‖,  0 is full collapse

    Args:
        features: h ``[N, d]``.
        logits: z ``[N, C]`` of the same samples.
        means: ``[C, d]``, of the training samples; a class of NaN is nobody's nearest.

    Returns:
        Scalar tensor in [0, 1], no synchronisation.

    Raises:
        ValueError: If shapes do not match.

    Source: NC4, Papyan et al. 2020, arXiv:2008.08186. Cost: O(N C d).

    >>> features = torch.tensor([[0.0], [1.0]])
    >>> nc4(features, torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0], [1.0]]))
    tensor(0.5000)
    """
    if features.shape[:1] != logits.shape[:1] or means.shape != (logits.shape[1], features.shape[1]):
        raise ValueError(
            f"features [N, d], logits [N, C] and means [C, d] must fit, got {list(features.shape)}, "
            f"{list(logits.shape)} and {list(means.shape)}"
        )
    centre = means.nanmean(dim=0)
    centred, apart = widened(features.detach()) - centre, means - centre
    # ‖h - μ_c‖² less what is the same for every class, halved and turned round.
    nearness = centred @ apart.mT - apart.square().sum(dim=1) / 2
    nearest = torch.where(apart[:, 0].isnan(), -torch.inf, nearness).argmax(dim=1)
    return (logits.detach().argmax(dim=1) != nearest).to(torch.float32).mean()


def _centred(means: Tensor) -> Tensor:
    return means - means.nanmean(dim=0)


_PAPYAN = "Papyan et al. 2020, arXiv:2008.08186"

NC2_NORMS = Measure(
    key="representation/nc2_norms",
    label="variation of the class means' norms (NC2)",
    unit="1",
    low=0.0,
    direction=Direction.DOWN,
    tier=Tier.CHEAP,
    formula=formula_of(nc2_norms),
    source=_PAPYAN,
    around="with accuracy or later (arXiv:2509.17738)",
)
NC2_ANGLES = Measure(
    key="representation/nc2_angles",
    label="class means' angles from a simplex (NC2)",
    unit="1",
    low=0.0,
    direction=Direction.DOWN,
    tier=Tier.CHEAP,
    formula=formula_of(nc2_angles),
    source=_PAPYAN,
)
NC3 = Measure(
    key="representation/nc3",
    label="distance of classifier and class means (NC3)",
    unit="1",
    low=0.0,
    high=2.0,
    direction=Direction.DOWN,
    tier=Tier.CHEAP,
    formula=formula_of(nc3),
    source=_PAPYAN,
)
NC4 = Measure(
    key="representation/nc4",
    label="disagreement with the nearest class mean (NC4)",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.DOWN,
    tier=Tier.CHEAP,
    formula=formula_of(nc4),
    source=_PAPYAN,
)

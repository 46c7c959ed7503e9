"""Neural collapse: how tightly a representation gathers around its class means."""

from torch import Tensor

from grokscope.collectors.tensors.predictions import widened


def nc1(features: Tensor, labels: Tensor, *, classes: int) -> Tensor:
    """Return within-class scatter over between-class scatter; 0 is full collapse.

        NC1 = tr S_W / tr S_B,  tr S_W = (1/N) Σᵢ ‖hᵢ - μ_{yᵢ}‖²,  tr S_B = Σ_c (n_c/N) ‖μ_c - μ‖²

    Class means are those of the features given, so that held-out features are measured by themselves. Classes
    weigh by their number of samples: the two scatters then sum to the total one, and an absent class is none.

    Args:
        features: ``[N, d]``, N ≥ 1, on one device with the labels.
        labels: ``[N]`` class indices in 0..classes-1 (not checked: that would synchronise).
        classes: C, so that nothing has to be read back from the device.

    Returns:
        Scalar tensor ≥ 0, no synchronisation; infinite if all class means agree, NaN if all features do (or
        one is NaN).

    Raises:
        ValueError: If shapes do not match or there are no samples.

    Source: Papyan et al. 2020, arXiv:2008.08186. Cost: four passes over the features.

    >>> import torch
    >>> features = torch.tensor([[0.0], [2.0], [4.0], [6.0]])
    >>> nc1(features, torch.tensor([0, 0, 1, 1]), classes=2)
    tensor(0.2500)
    """
    if features.ndim != 2 or labels.shape != features.shape[:1] or not labels.numel():  # noqa: PLR2004
        raise ValueError(
            f"features must be [N, d] and labels [N] with N at least 1, got {list(features.shape)} and "
            f"{list(labels.shape)}; flatten leading dimensions"
        )
    features, labels = widened(features.detach()), labels.detach().long()
    # Centred first: the scatters of features far from 0 would otherwise drown in rounding.
    centred = features - features.mean(dim=0)
    count = centred.new_zeros(classes).index_add_(0, labels, centred.new_ones(len(labels)))
    total = centred.new_zeros(classes, centred.shape[1]).index_add_(0, labels, centred)
    means = total / count.clamp_min(1).unsqueeze(1)
    within = (centred - means.index_select(0, labels)).square().sum()
    between = (means.square().sum(dim=1) * count).sum()
    return within / between

"""How noisy the gradient of a batch is, from two halves of it."""

from collections.abc import Sequence

from torch import Tensor

from grokscope.collectors.measures.weights.norms import weight_norms
from grokscope.collectors.tensors.torch_stubs import foreach_sum


def gradient_moments(
    first: Sequence[Tensor], second: Sequence[Tensor], *, half: int
) -> tuple[Tensor, Tensor]:
    """Return unbiased estimates of ‖G‖² and tr Σ from the gradients of two halves of a batch.

        ‖G‖² = (b‖ḡ‖² - h·m) / (b - h),  tr Σ = (m - ‖ḡ‖²) / (1/h - 1/b)

    with ḡ the mean of the two gradients (batch b = 2h) and m the mean of their squared norms. One estimate is
    noisy: average both over readings before the ratio tr Σ / ‖G‖² is taken.

    Args:
        first: Gradient of the mean loss over the first half, tensors of any shape on one device.
        second: The same over the second half.
        half: Examples in each half, h ≥ 1.

    Returns:
        Two scalar tensors, ‖G‖² (may come out negative) and tr Σ ≥ 0, no synchronisation; NaN with NaN.

    Raises:
        ValueError: If ``half`` is less than 1.

    Source: McCandlish et al. 2018, arXiv:1812.06162, appendix A. Cost: three passes over the gradients.

    >>> import torch
    >>> gradient_moments([torch.tensor([3.0])], [torch.tensor([1.0])], half=8)
    (tensor(3.), tensor(16.))
    """
    if half < 1:
        raise ValueError(f"each half needs at least one example, got {half}")
    norms = weight_norms({"first": first, "second": second, "sum": foreach_sum(first, second)})
    small = (norms["first"].square() + norms["second"].square()) / 2
    large = (norms["sum"] / 2).square()
    return 2 * large - small, 2 * half * (small - large)


def noise_scale(signal: Tensor, noise: Tensor) -> Tensor:
    """Return the simple noise scale: the batch size at which noise and signal in the gradient are equal.

        B_simple = tr Σ / ‖G‖²

    Args:
        signal: ‖G‖², as averaged over readings.
        noise: tr Σ, likewise.

    Returns:
        Scalar tensor in examples, no synchronisation; infinite where the averaged ‖G‖² is not positive.

    Source: McCandlish et al. 2018, arXiv:1812.06162. Cost: none.

    >>> import torch
    >>> noise_scale(torch.tensor(2.0), torch.tensor(64.0))
    tensor(32.)
    """
    return noise / signal.clamp_min(0)

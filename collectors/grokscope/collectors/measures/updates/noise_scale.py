"""How noisy the gradient of a batch is, from two halves of it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, halves, take
from grokscope.collectors.measures.weights.norms import weight_norms
from grokscope.collectors.tensors.functional import value_and_gradient
from grokscope.collectors.tensors.torch_stubs import foreach_sum
from grokscope.schemas import Measure, Tier


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


NOISE_SCALE = Measure(
    key="gradients/noise_scale",
    label="gradient noise scale tr Σ / ‖G‖²",
    unit="examples",
    low=0.0,
    tier=Tier.CHEAP,
    formula=formula_of(noise_scale),
    source="McCandlish et al. 2018, arXiv:1812.06162",
    around="leads by .41, range .33 to .51 (measured here)",
)


@gives(NOISE_SCALE)
def gradient_noise(*, subset: Subset | None = None, memory: float = 0.9) -> MeasureFn:
    """Return the instrument of ``gradients/noise_scale``, in examples.

    ‖G‖² and tr Σ are estimated from the gradients of two halves of the first training samples and averaged
    over evaluations before their ratio is taken.

    Args:
        subset: Samples and criterion; the first 512 of ``train`` and cross-entropy by default.
        memory: Weight of the past in the average, 0..1; 0 takes each evaluation by itself.

    Raises:
        ValueError: If ``memory`` is outside [0, 1).

    Source: McCandlish et al. 2018, arXiv:1812.06162. Cost: forward and backward over the subset.

    >>> list(gradient_noise()(StepContext(step=0, model=torch.nn.ReLU())))
    []
    """
    if not 0 <= memory < 1:
        raise ValueError(f"memory must lie in [0, 1), got {memory}; 0.9 averages some ten readings")
    chosen, average = subset or Subset(), list[Tensor]()

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None or taken.targets.numel() < 2:  # noqa: PLR2004 - two halves
            return {}
        first, second = (value_and_gradient(half, taken.parameters)[1] for half in halves(taken))
        now = torch.stack(gradient_moments([first], [second], half=taken.targets.numel() // 2))
        average[:] = [torch.lerp(now, average[0], memory) if average else now]
        return {NOISE_SCALE.key: noise_scale(*average[0].unbind())}

    return measure

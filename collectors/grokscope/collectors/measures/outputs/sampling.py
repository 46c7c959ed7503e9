"""How far scores of some examples may be from those of all: 95 % intervals and standard errors."""

import math

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.tensors.predictions import widest
from grokscope.schemas import Measure

# 97.5 % quantile of the normal distribution.
_Z = 1.959963984540054


def accuracy_interval(accuracy: Tensor, examples: int) -> tuple[Tensor, Tensor]:
    """Return Wilson's 95 % interval of the accuracy of all examples, from that of some.

        (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n),  z = 1.96

    Where an example has several targets, ``examples`` counts examples: the right ones of a sequence come
    together, so that the interval is rather too wide than too narrow.

    Args:
        accuracy: Scalar tensor p in [0, 1].
        examples: n ≥ 1, drawn at random.

    Returns:
        Two scalar tensors in [0, 1], no synchronisation; NaN if the accuracy is.

    Raises:
        ValueError: If ``examples`` < 1.

    Source: Wilson 1927. Cost: some ten scalar operations.

    >>> accuracy_interval(torch.tensor(1.0), 100)
    (tensor(0.9630), tensor(1.))
    """
    if examples < 1:
        raise ValueError(f"examples must be at least 1, got {examples}")
    share, n = widest(accuracy), examples
    middle = share + _Z**2 / (2 * n)
    half = _Z * (share * (1 - share) / n + _Z**2 / (4 * n**2)).clamp_min(0).sqrt()
    low, high = ((middle + side * half) / (1 + _Z**2 / n) for side in (-1, 1))
    return low.clamp(0, 1).to(accuracy.dtype), high.clamp(0, 1).to(accuracy.dtype)


def standard_error(values: Tensor, *, examples: tuple[Tensor, int] | None = None) -> Tensor:
    """Return the standard error of the mean of values, as that of a ratio where examples have several.

        √( n/(n-1) Σᵢ eᵢ² ) / Σᵢ mᵢ,  eᵢ the sum of an example's values less mᵢ times the mean of all

    Args:
        values: ``[N]``, one a target.
        examples: The example of each, ``[N]``, and how many there are; one each by default.

    Returns:
        Scalar tensor ≥ 0; NaN of a single example.

    Source: Cochran 1977, 6.4. Cost: two passes over the values.

    >>> standard_error(torch.tensor([1.0, 2.0, 3.0]))
    tensor(0.5774)
    """
    away = values - values.mean()
    if examples is not None:
        away = torch.zeros(examples[1], device=away.device, dtype=away.dtype).index_add_(0, examples[0], away)
    n = len(away)
    return (away.square().sum() * (n / (n - 1) if n > 1 else math.nan)).sqrt() / len(values)


EXAMPLES_READ = Measure(
    key="<split>/examples",
    label="examples that were evaluated",
    unit="examples",
    low=1.0,
    formula="with Measuring(at_most=...)",
)
ACCURACY_LOW = Measure(
    key="<split>/accuracy_low",
    label="accuracy of all examples, lower end of its 95 % interval",
    unit="1",
    low=0.0,
    high=1.0,
    formula=formula_of(accuracy_interval),
    source="Wilson 1927",
)
ACCURACY_HIGH = Measure(
    key="<split>/accuracy_high",
    label="accuracy of all examples, upper end of its 95 % interval",
    unit="1",
    low=0.0,
    high=1.0,
    formula=formula_of(accuracy_interval),
    source="Wilson 1927",
)
LOSS_ERROR = Measure(
    key="<split>/loss_error",
    label="standard error of the loss of all examples",
    unit="1",
    low=0.0,
    formula=formula_of(standard_error),
    source="Cochran 1977",
)
SAMPLING = (EXAMPLES_READ, ACCURACY_LOW, ACCURACY_HIGH, LOSS_ERROR)
"""What is logged of a split beside its scores where only some of its examples are evaluated."""

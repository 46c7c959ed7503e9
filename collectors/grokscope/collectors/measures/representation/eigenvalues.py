"""The spectrum of a representation as an array: how the variance is spread over directions, step by step."""

from collections.abc import Mapping

from grokscope.collectors.measures.array_instrument import ArrayFn, gives_arrays
from grokscope.collectors.measures.instrument import Array, StepContext
from grokscope.collectors.measures.probing import features_of, spread
from grokscope.collectors.measures.representation.spectrum import covariance_spectrum
from grokscope.schemas.arrays import ArrayMeasure

_ROWS = 2048

EIGENVALUES = ArrayMeasure(
    name="representation/eigenvalues",
    label="largest eigenvalues of the features' covariance",
    unit="1",
    axes=("k",),
    formula="λ₁ ≥ λ₂ ≥ … of (1/N) Σᵢ (hᵢ - μ)(hᵢ - μ)ᵀ",
)


@gives_arrays(EIGENVALUES)
def hidden_spectrum(*, k: int = 64) -> ArrayFn:
    """Return the instrument of ``representation/eigenvalues/<split>``: variances along principal directions.

    Args:
        k: How many at most; at least 1. There are min(N, d), N being 2048 samples at most, spread over all.

    Raises:
        ValueError: If ``k`` is less than 1.

    Source: definition. Cost: one decomposition a split, at most eight times a decade of steps.

    >>> from torch import nn
    >>> hidden_spectrum()(StepContext(step=0, model=nn.ReLU()))
    {}
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")

    def measure(context: StepContext) -> Mapping[str, Array]:
        found = {
            split: covariance_spectrum(spread(f, _ROWS))[:k] for split, f in features_of(context).items()
        }
        return {
            EIGENVALUES.at(split): Array(
                values=one, axes={"k": [str(place) for place in range(1, len(one) + 1)]}
            )
            for split, one in found.items()
        }

    return measure

"""The intrinsic dimension of a cloud of points."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.probing import features_of, spread
from grokscope.collectors.tensors.predictions import widened, widest
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Measure, Tier

_FEWEST = 3
_EQUAL = 1e-7


def two_nn(features: Tensor) -> Tensor:
    """Return the TwoNN intrinsic dimension, from the ratio of each point's two nearest distances.

        d = (M - 1) / Σᵢ log(r_i2 / r_i1),  over the M points without a duplicate (to 1e-7 of the cloud)

    The ratio follows a Pareto law of exponent d wherever density is locally uniform; M - 1 makes the maximum
    likelihood estimate unbiased.

    Args:
        features: ``[N, d]``, N ≥ 3; N² distances are held at once, so cap N near 2,000.

    Returns:
        Scalar tensor in dimensions, no synchronisation; infinite if every second neighbour is as near as the
        first, NaN if fewer than two points count or one has a NaN.

    Raises:
        ValueError: If ``features`` is not a matrix of at least three points.

    Source: Facco et al. 2017, Sci. Rep. 7:12140. Cost: O(N² d).

    >>> line = torch.rand(500, 1, generator=torch.Generator().manual_seed(0)) @ torch.ones(1, 5)
    >>> 0.9 < two_nn(line) < 1.1
    tensor(True)
    """
    if features.ndim != 2 or len(features) < _FEWEST:  # noqa: PLR2004 - points and coordinates
        raise ValueError(
            f"features must be [N, d] with N at least {_FEWEST}, got {list(features.shape)}; read more"
        )
    points = widest(features.detach())
    points = points - points.mean(dim=0)
    distances = torch.cdist(points, points, compute_mode="use_mm_for_euclid_dist")
    nearest = distances.fill_diagonal_(torch.inf).topk(2, dim=1, largest=False).values
    # Products of double precision tell neighbours to 1e-7 of the cloud: what is nearer was equal in single.
    counts = nearest[:, 0] > _EQUAL * vector_norm(points, dim=1).amax()
    logs = torch.where(counts, (nearest[:, 1] / nearest[:, 0]).log(), 0).sum()
    count = counts.sum()
    dimension = torch.where((count > 1) & ~points.isnan().any(), (count - 1) / logs, torch.nan)
    return dimension.to(widened(features[:0]).dtype)


INTRINSIC_DIMENSION = Measure(
    key="representation/intrinsic_dimension",
    label="intrinsic dimension (TwoNN)",
    unit="dimensions",
    low=0.0,
    tier=Tier.CHEAP,
    formula=formula_of(two_nn),
    source="Facco et al. 2017, Sci. Rep. 7:12140",
    around="falls, noisily",
)


@gives(INTRINSIC_DIMENSION)
def intrinsic_dimension(*, samples: int = 1000) -> MeasureFn:
    """Return the instrument of ``representation/intrinsic_dimension/<split>`` by TwoNN.

    Args:
        samples: At most so many, evenly spread over the split and the same every time.

    Source: Facco et al. 2017. Cost: samples² distances a split.

    >>> list(intrinsic_dimension()(StepContext(step=0, model=torch.nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        return {
            INTRINSIC_DIMENSION.at(split): two_nn(spread(features, samples))
            for split, features in features_of(context).items()
        }

    return measure

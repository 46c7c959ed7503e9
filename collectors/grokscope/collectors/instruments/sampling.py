"""The local learning coefficient at the parameters of a run."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.measures.curvature.learning_coefficient import Sampling, local_learning_coefficient
from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.schemas import Tier


def learning_coefficient(*, subset: Subset | None = None, how: Sampling | None = None) -> Instrument:
    """Return the instrument of ``curvature/llc`` with its error, R-hat and acceptance.

    n is the size of the subset, so that values compare within one subset only. The chains' noise is the same
    at every reading. The step size has to suit the network: look at ``curvature/llc_acceptance`` (near 1) and
    ``curvature/llc_r_hat`` (below 1.1) before believing the value.

    The chains are our own rather than those of devinterp: every step takes the gradient of the same samples,
    which gives the acceptance an exact meaning, and nothing but torch is needed (devinterp 2.0 asks for
    transformers, datasets and zarr). For minibatch sampling of large models devinterp does more.

    Source: Lau et al. 2023, arXiv:2308.12108. Cost: chains · (burn_in + draws) gradients of the subset: 800
    by default.

    Args:
        subset: The samples.
        how: Chains, draws, step size, localization.

    >>> import torch
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=torch.nn.Linear(2, 3), splits={"train": data})
    >>> list(learning_coefficient(how=Sampling(draws=4, burn_in=0))(reading))
    ['curvature/llc', 'curvature/llc_error', 'curvature/llc_r_hat', 'curvature/llc_acceptance']
    """
    chosen, way = subset or Subset(), how or Sampling()

    def learning_coefficient(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        found = local_learning_coefficient(
            taken.loss,
            taken.parameters,
            samples=taken.targets.numel(),
            generator=fixed(reading, 0),
            how=way,
        )
        return {
            "curvature/llc": found.value,
            "curvature/llc_error": found.error,
            "curvature/llc_r_hat": found.r_hat,
            "curvature/llc_acceptance": found.acceptance,
        }

    return instrument(tier=Tier.COSTLY)(learning_coefficient)

"""The local learning coefficient: how many directions a minimum really uses, by sampling around it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.collectors.tensors.functional import Loss, flat, unflat, value_and_gradient
from grokscope.schemas import Measure, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the parameters around a point are sampled.

    Attributes:
        chains: Independent walks; their spread is the error.
        draws: Readings a walk.
        burn_in: Steps before the first reading; a walk forgets its start in some 2 / (ε γ) steps.
        step_size: ε of the Langevin steps. Too large shows as a low acceptance, too small as a high R-hat.
        localization: γ, how strongly a walk is held at the point: precision of a Gaussian around it.
    """

    chains: int = 4
    draws: int = 100
    burn_in: int = 100
    step_size: float = 5e-4
    localization: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCoefficient:
    """An estimate and what is needed to trust it; every field a scalar tensor.

    Attributes:
        value: λ̂; negative where the point is no minimum.
        error: Standard error over chains.
        r_hat: Above 1.1 or so the chains have not mixed.
        acceptance: Mean probability with which a Metropolis test would have let a step pass; low where
            the step size biases the estimate, or the walk is still leaving its start.
    """

    value: Tensor
    error: Tensor
    r_hat: Tensor
    acceptance: Tensor


def local_learning_coefficient(
    loss: Loss, parameters: Sequence[Tensor], *, samples: int, generator: torch.Generator, how: Sampling
) -> LearningCoefficient:
    """Return the local learning coefficient at the parameters, estimated by Langevin sampling.

        λ̂ = nβ (E[L(w)] - L(w*)),  nβ = n / log n
        w ← w - ε/2 (nβ ∇L(w) + γ (w - w*)) + √ε ξ,  ξ normal

    d/2 at a regular minimum of d parameters, less where the loss is flat in more than the quadratic way. The
    gradient is that of the same n samples at every step, so that the Metropolis test that gives
    ``acceptance`` is exact; nothing is rejected.

    Args:
        loss: Mean loss over the n samples, in nats.
        parameters: w*, a minimum or near one.
        samples: n, at least 3.
        generator: On the parameters' device; the global random state is left alone.
        how: Chains, draws, step size; small networks need a step size near 1 / (nβ λ_max + γ).

    Returns:
        The estimate with its diagnostics, no synchronisation; NaN if a walk diverged.

    Raises:
        ValueError: If there are fewer than 3 samples, 2 chains or 4 draws.

    Source: Lau et al. 2023, arXiv:2308.12108. Cost: chains · (burn_in + draws) gradients.

    >>> how = Sampling(step_size=0.02, draws=500, localization=0.0)
    >>> regular = local_learning_coefficient(
    ...     lambda p: p[0].square().sum(), [torch.zeros(8)], samples=20, generator=torch.Generator(), how=how
    ... )
    >>> abs(regular.value - 4) < 1
    tensor(True)
    """
    least = {"samples": (samples, 3), "chains": (how.chains, 2), "draws": (how.draws, 4)}
    for name, (got, low) in least.items():
        if got < low:
            raise ValueError(f"{name} must be at least {low}, got {got}; 4 chains of 100 draws are common")
    n_beta = samples / math.log(samples)
    walks = [_walk(loss, parameters, n_beta=n_beta, generator=generator, how=how) for _ in range(how.chains)]
    traces = torch.stack([trace for trace, _ in walks])
    start, _ = value_and_gradient(loss, parameters)
    by_chain = n_beta * (traces.mean(dim=1) - start)
    return LearningCoefficient(
        value=by_chain.mean(),
        error=by_chain.std() / how.chains**0.5,
        r_hat=split_r_hat(traces),
        acceptance=torch.stack([acceptance for _, acceptance in walks]).mean(),
    )


def split_r_hat(traces: Tensor) -> Tensor:
    """Return the potential scale reduction of chains whose halves count as chains of their own.

        R̂ = √(((n - 1)/n · W + B) / W),  W the mean variance within halves, B the variance of their means

    Args:
        traces: ``[chains, draws]``, at least 4 draws; an odd last one is left out.

    Returns:
        Scalar tensor, no synchronisation: 1 for chains that agree; NaN for constant ones.

    Raises:
        ValueError: If ``traces`` is not such a table.

    Source: Gelman & Rubin 1992; halves: Vehtari et al. 2021, arXiv:1903.08008. Cost: one pass.

    >>> split_r_hat(torch.tensor([[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]))
    tensor(0.7071)
    """
    if traces.ndim != 2 or traces.shape[1] < 4:  # noqa: PLR2004 - two halves of two
        raise ValueError(
            f"traces must be [chains, draws] with 4 draws or more, got {list(traces.shape)}; draw longer"
        )
    half = traces.shape[1] // 2
    halves = traces[:, : 2 * half].reshape(-1, half)
    within = halves.var(dim=1).mean()
    return (((half - 1) / half * within + halves.mean(dim=1).var()) / within).sqrt()


def _walk(
    loss: Loss, parameters: Sequence[Tensor], *, n_beta: float, generator: torch.Generator, how: Sampling
) -> tuple[Tensor, Tensor]:
    """Return the losses ``[draws]`` along one walk and its mean acceptance."""
    centre = flat(parameters)

    def energy(at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        value, gradient = value_and_gradient(loss, unflat(at, parameters))
        away = at - centre
        pull = how.localization * away
        return value, n_beta * value + 0.5 * (pull @ away), n_beta * gradient + pull

    step, at = how.step_size, centre
    _, potential, force = energy(at)
    losses: list[Tensor] = []
    accepted: list[Tensor] = []
    for _ in range(how.burn_in + how.draws):
        noise = torch.randn(at.shape, generator=generator, device=at.device, dtype=at.dtype)
        there = at - 0.5 * step * force + step**0.5 * noise
        value, further, opposite = energy(there)
        # Forward and backward proposal densities, with the common factor left out.
        back = at - there + 0.5 * step * opposite
        log_ratio = potential - further - back.square().sum() / (2 * step) + 0.5 * noise.square().sum()
        at, potential, force = there, further, opposite
        losses.append(value)
        accepted.append(log_ratio.clamp_max(0).exp())
    return torch.stack(losses[how.burn_in :]), torch.stack(accepted).mean()


_LAU = "Lau et al. 2023, arXiv:2308.12108"

LLC = Measure(
    key="curvature/llc",
    label="local learning coefficient",
    unit="dimensions",
    tier=Tier.COSTLY,
    formula=formula_of(local_learning_coefficient),
    source=_LAU,
    around="rises while memorizing, falls at grokking (arXiv:2402.02364)",
)
LLC_ERROR = Measure(
    key="curvature/llc_error",
    label="standard error of the LLC",
    unit="dimensions",
    low=0.0,
    tier=Tier.COSTLY,
    formula="standard deviation of λ̂ over chains / √chains",
    source=_LAU,
)
LLC_R_HAT = Measure(
    key="curvature/llc_r_hat",
    label="R-hat of the LLC's chains",
    unit="1",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(split_r_hat),
    source="Vehtari et al. 2021, arXiv:1903.08008",
)
LLC_ACCEPTANCE = Measure(
    key="curvature/llc_acceptance",
    label="acceptance of the LLC's steps",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.COSTLY,
    formula="mean over steps of min(1, Metropolis ratio)",
    source="Roberts & Tweedie 1996",
)


@gives(LLC, LLC_ERROR, LLC_R_HAT, LLC_ACCEPTANCE)
def learning_coefficient(*, subset: Subset | None = None, how: Sampling | None = None) -> MeasureFn:
    """Return the instrument of ``curvature/llc`` with its error, R-hat and acceptance.

    n is the size of the subset, so that values compare within one subset only. The chains' noise is the same
    at every step. The step size has to suit the network: look at ``curvature/llc_acceptance`` (near 1) and
    ``curvature/llc_r_hat`` (below 1.1) before believing the value.

    The chains are grokscope's rather than those of devinterp: every step takes the gradient of the same
    samples, which gives the acceptance an exact meaning, and nothing but torch is needed (devinterp 2.0 asks
    for transformers, datasets and zarr). For minibatch sampling of large models devinterp does more.

    Args:
        subset: The samples.
        how: Chains, draws, step size, localization.

    Source: Lau et al. 2023, arXiv:2308.12108. Cost: chains · (burn_in + draws) gradients of the subset: 800
    by default.

    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> context = StepContext(step=0, model=torch.nn.Linear(2, 3), splits={"train": data})
    >>> list(learning_coefficient(how=Sampling(draws=4, burn_in=0))(context))
    ['curvature/llc', 'curvature/llc_error', 'curvature/llc_r_hat', 'curvature/llc_acceptance']
    """
    chosen, way = subset or Subset(), how or Sampling()

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        found = local_learning_coefficient(
            taken.loss,
            taken.parameters,
            samples=taken.targets.numel(),
            generator=fixed(context, 0),
            how=way,
        )
        return {
            LLC.key: found.value,
            LLC_ERROR.key: found.error,
            LLC_R_HAT.key: found.r_hat,
            LLC_ACCEPTANCE.key: found.acceptance,
        }

    return measure

"""What the first stretch of a training curve already tells: how much it oscillates, and how slowly."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import StepContext, Use, tier_of
from grokscope.collectors.tensors.predictions import widest
from grokscope.collectors.tensors.torch_stubs import real_spectrum
from grokscope.schemas import Measure, Tier

_FEWEST = 4


def hjorth(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the Hjorth parameters of a curve: activity, mobility and complexity.

        activity = var(x),  mobility = √(var(x') / var(x)),  complexity = mobility(x') / mobility(x)

    with x' the difference of neighbours. Activity is the curve's power, mobility its mean frequency (radians
    a sample, for slow oscillations), complexity how far it is from a single sine (1).

    Args:
        values: ``[T]`` evenly spaced, T ≥ 4: the training loss of the first few hundred steps.

    Returns:
        Three scalar tensors, no synchronisation; NaN where a value is NaN, mobility and complexity also where
        the curve is constant.

    Raises:
        ValueError: If ``values`` is not a curve of at least four points.

    Source: Hjorth 1970; Notsawo et al. 2023, arXiv:2306.13253. Cost: three passes over T values.

    >>> activity, mobility, complexity = hjorth(torch.sin(0.1 * torch.arange(1000)))
    >>> round(activity.item(), 1), round(mobility.item(), 1), round(complexity.item(), 1)
    (0.5, 0.1, 1.0)
    """
    curve = _curve(values)
    power = [_variance(each) for each in (curve, curve.diff(), curve.diff(n=2))]
    mobility, of_difference = (power[1] / power[0]).sqrt(), (power[2] / power[1]).sqrt()
    return power[0], mobility, of_difference / mobility


def low_frequency_share(values: Tensor, *, cut: float = 0.1) -> Tensor:
    """Return the share of a curve's power, its mean taken away, at frequencies up to ``cut`` of the highest.

        Σ_{0 < f ≤ cut·f_max} |x̂(f)|² / Σ_{0 < f ≤ f_max} |x̂(f)|²

    Args:
        values: ``[T]`` evenly spaced, T ≥ 4.
        cut: In (0, 1], of the highest frequency that the spacing resolves.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN if the curve is constant or a value is NaN.

    Raises:
        ValueError: If ``values`` is not a curve of at least four points, or ``cut`` is outside (0, 1].

    Source: Notsawo et al. 2023, arXiv:2306.13253. Cost: one Fourier transform of T values.

    >>> low_frequency_share(torch.sin(0.1 * torch.arange(1000))) > 0.99
    tensor(True)
    """
    if not 0 < cut <= 1:
        raise ValueError(f"cut must lie in (0, 1], got {cut}; it is a share of the highest frequency")
    curve = _curve(values)
    power = real_spectrum(curve - curve.mean())[1:]
    # Both directions of a frequency count; the highest of an even number of points has only one.
    weight = torch.full_like(power, 2.0)
    if len(curve) % 2 == 0:
        weight[-1] = 1.0
    below = int(cut * len(power))
    return (weight * power)[:below].sum() / (weight * power).sum()


def _curve(values: Tensor) -> Tensor:
    if values.ndim != 1 or len(values) < _FEWEST:
        raise ValueError(
            f"a curve must be [T] with T at least {_FEWEST}, got {list(values.shape)}; collect more steps"
        )
    return widest(values.detach())


def _variance(values: Tensor) -> Tensor:
    return (values - values.mean()).square().mean()


_NOTSAWO = "Notsawo et al. 2023, arXiv:2306.13253"

ACTIVITY = Measure(
    key="<split>/early_activity",
    label="variance of the first training losses (Hjorth activity)",
    unit="nats²",
    low=0.0,
    formula=formula_of(hjorth),
    source=_NOTSAWO,
    around="claimed long before (arXiv:2306.13253)",
)
MOBILITY = Measure(
    key="<split>/early_mobility",
    label="mean frequency of the first training losses (Hjorth mobility)",
    unit="rad/step",
    low=0.0,
    formula=formula_of(hjorth),
    source=_NOTSAWO,
)
LOW_FREQUENCY_SHARE = Measure(
    key="<split>/early_low_frequency_share",
    label="low-frequency share of the first training losses' power",
    unit="1",
    low=0.0,
    high=1.0,
    formula=formula_of(low_frequency_share),
    source=_NOTSAWO,
)


class EarlyLoss:
    """The instrument of ``train/early_activity``, ``early_mobility`` and ``early_low_frequency_share``.

    ``see`` the training loss of every step; once there are ``steps`` of them the next evaluation gives the
    three values, once.

    Args:
        steps: How many losses are collected, evenly spaced from the first step on.

    Raises:
        ValueError: If ``steps`` is less than 4.

    Source: Notsawo et al. 2023, arXiv:2306.13253. Cost: a reference kept a step, no synchronisation.

    >>> signature = EarlyLoss(steps=4)
    >>> for loss in (1.0, 0.0, 1.0, 0.0):
    ...     signature.see(torch.tensor(loss))
    >>> list(signature(StepContext(step=3, model=torch.nn.ReLU())))
    ['train/early_activity', 'train/early_mobility', 'train/early_low_frequency_share']
    """

    name: ClassVar[str] = "early_loss"
    measures: ClassVar[tuple[Measure, ...]] = (ACTIVITY, MOBILITY, LOW_FREQUENCY_SHARE)
    tier: ClassVar[Tier] = tier_of(measures)
    use: ClassVar[Use] = Use.NAMED

    def __init__(self, *, steps: int = 300) -> None:
        if steps < 4:  # noqa: PLR2004 - a second difference and a mean
            raise ValueError(f"steps must be at least 4, got {steps}; a few hundred tell most")
        self._steps = steps
        self._losses: list[Tensor] = []
        self._is_reported = False

    def see(self, loss: Tensor | float) -> None:
        """Add the training loss of one step; nothing happens after the first ``steps`` of them."""
        if len(self._losses) < self._steps and not self._is_reported:
            # A copy: the loop may write the next loss into the same tensor.
            self._losses.append(torch.as_tensor(loss).detach().clone())

    def __call__(self, context: StepContext, /) -> Mapping[str, Tensor]:
        """Return the three values at the first evaluation after the last loss."""
        del context
        if len(self._losses) < self._steps:
            return {}
        curve, self._losses, self._is_reported = torch.stack(self._losses), [], True
        activity, mobility, _ = hjorth(curve)
        return {
            ACTIVITY.at("train"): activity,
            MOBILITY.at("train"): mobility,
            LOW_FREQUENCY_SHARE.at("train"): low_frequency_share(curve),
        }


def early_loss(*, steps: int = 300) -> EarlyLoss:
    """Return the instrument of the early losses' signature; call its ``see`` with each training loss.

    Source: Notsawo et al. 2023, arXiv:2306.13253. Cost: a reference kept a step, no synchronisation.

    >>> early_loss(steps=100).name
    'early_loss'
    """
    return EarlyLoss(steps=steps)

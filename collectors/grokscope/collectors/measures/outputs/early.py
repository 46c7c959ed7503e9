"""What the first stretch of a training curve already tells: how much it oscillates, and how slowly."""

import torch
from torch import Tensor

from grokscope.collectors.tensors.predictions import widest
from grokscope.collectors.tensors.torch_stubs import real_spectrum

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

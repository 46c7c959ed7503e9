"""The spectral signature of the first training losses."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.instrument import Reading
from grokscope.collectors.measures.outputs.early import hjorth, low_frequency_share
from grokscope.schemas import Tier


class EarlyLoss:
    """The instrument of ``train/early_activity``, ``early_mobility`` and ``early_low_frequency_share``.

    ``see`` the training loss of every step; once there are ``steps`` of them the next reading gives the three
    values, once.

    Args:
        steps: How many losses are collected, evenly spaced from the first step on.

    Raises:
        ValueError: If ``steps`` is less than 4.

    Source: Notsawo et al. 2023, arXiv:2306.13253. Cost: a reference kept a step, no synchronisation.

    >>> signature = EarlyLoss(steps=4)
    >>> for loss in (1.0, 0.0, 1.0, 0.0):
    ...     signature.see(torch.tensor(loss))
    >>> list(signature(Reading(step=3, model=torch.nn.ReLU())))
    ['train/early_activity', 'train/early_mobility', 'train/early_low_frequency_share']
    """

    name = "early_loss"
    tier = Tier.FREE

    def __init__(self, *, steps: int = 300) -> None:
        if steps < 4:  # noqa: PLR2004 - a second difference and a mean
            raise ValueError(f"steps must be at least 4, got {steps}; a few hundred tell most")
        self._steps = steps
        self._losses: list[Tensor] = []
        self._is_told = False

    def see(self, loss: Tensor | float) -> None:
        """Take the training loss of one step; nothing happens after the first ``steps`` of them."""
        if len(self._losses) < self._steps and not self._is_told:
            # A copy: the loop may write the next loss into the same tensor.
            self._losses.append(torch.as_tensor(loss).detach().clone())

    def __call__(self, reading: Reading) -> Mapping[str, Tensor]:
        """Return the three values at the first reading after the last loss."""
        del reading
        if len(self._losses) < self._steps:
            return {}
        curve, self._losses, self._is_told = torch.stack(self._losses), [], True
        activity, mobility, _ = hjorth(curve)
        return {
            "train/early_activity": activity,
            "train/early_mobility": mobility,
            "train/early_low_frequency_share": low_frequency_share(curve),
        }


def early_loss(*, steps: int = 300) -> EarlyLoss:
    """Return the instrument of the early losses' signature; call its ``see`` with each training loss.

    >>> early_loss(steps=100).name
    'early_loss'
    """
    return EarlyLoss(steps=steps)

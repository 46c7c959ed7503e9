"""Targets that are the tokens read: each output is scored by the next one."""

import torch
from torch import Tensor


def shifted(targets: Tensor, *, fill: int) -> Tensor:
    """Return targets ``[N, T]`` one place earlier, the last place filled with what is ignored.

    Source: definition. Cost: one copy.

    >>> shifted(torch.tensor([[1, 2, 3]]), fill=-100)
    tensor([[   2,    3, -100]])
    """
    return torch.cat([targets[:, 1:], torch.full_like(targets[:, :1], fill)], dim=1)


def is_copied(read: Tensor, targets: Tensor, *, ignored: int) -> bool:
    """Say whether targets are the tokens read wherever they count.

    Source: definition. Cost: one comparison, and a synchronisation.

    >>> is_copied(torch.tensor([[1, 2]]), torch.tensor([[1, -100]]), ignored=-100)
    True
    """
    return bool(((read == targets) | (targets == ignored)).all())


def padding_counted(mask: object, targets: Tensor, *, ignored: int) -> bool:
    """Say whether a target counts that the attention mask masks.

    Source: definition. Cost: one comparison, and a synchronisation.

    >>> padding_counted(torch.tensor([[1, 0]]), torch.tensor([[1, 0]]), ignored=-100)
    True
    """
    if not isinstance(mask, Tensor) or mask.shape != targets.shape:
        return False
    return bool(((mask == 0) & (targets != ignored)).any())

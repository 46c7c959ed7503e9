"""Random signs: what estimates a trace, a sum over classes, or stands for the inputs of a parity."""

import torch
from torch import Tensor


def random_signs(*shape: int, generator: torch.Generator) -> Tensor:
    """Return numbers that are 1 or -1, as likely the one as the other.

    Args:
        shape: Of the result.
        generator: Tells the device; the global random state is left alone.

    Source: Hutchinson 1989. Cost: none to speak of.

    >>> random_signs(2, 3, generator=torch.Generator()).abs()
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    return torch.randint(0, 2, shape, generator=generator, device=generator.device) * 2.0 - 1.0

"""Whether targets hold a value that is ignored, asked of a device once a tensor."""

from collections.abc import MutableMapping

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary


class KnownTargets:
    """Says whether targets hold a value; what would need a synchronisation is asked once.

    >>> import torch
    >>> KnownTargets().hold(torch.tensor([0, -100]), -100)
    True
    """

    def __init__(self) -> None:
        self._without: MutableMapping[Tensor, tuple[int, int]] = WeakTensorKeyDictionary()

    def hold(self, targets: Tensor, value: int) -> bool:
        """Say whether one of the targets is ``value``."""
        if targets.device.type == "cpu":
            return bool((targets == value).any())
        # Torch's own count of writes, which it does not keep of tensors made in inference mode.
        known = (-1 if targets.is_inference() else targets._version, value)  # noqa: SLF001
        if self._without.get(targets) == known:
            return False
        holds = bool((targets == value).any())
        if not holds:
            self._without[targets] = known
        return holds

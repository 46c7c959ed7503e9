"""Which targets are left out: of the value that is said to, and of 255 where it can only mean that."""

from collections.abc import Callable, MutableMapping

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from grokscope.collectors.evaluating.splits.targets.kinds import HIGHEST

IGNORED = -100
"""What torch's cross-entropy leaves out unless told otherwise."""

_IMAGES = 3
"""Dimensions of a batch of maps of classes, and fewer than those of volumes."""


class IgnoredTargets:
    """Says which targets of a split are left out.

    Maps of classes mark by 255 what is not scored, as those of Pascal VOC do. Where there are no more than
    255 classes it can be none of them; then it is left out too, and that is said.

    Args:
        given: The value that is left out; ``None`` leaves out none.
        say: Takes a sentence.

    >>> ignored = IgnoredTargets(-100, say=print)
    >>> ignored.kept("test", torch.tensor([2, -100]), source=torch.tensor([2, -100]))
    tensor([ True, False])
    >>> ignored.kept("test", torch.tensor([2, 1]), source=torch.tensor([2, 1])) is None
    True
    """

    def __init__(self, given: int | None, *, say: Callable[[str], object]) -> None:
        self._given = given
        self._say = say
        self._known = _KnownTargets()
        self._have_marks: set[str] = set()
        self._have_others: set[str] = set()

    @property
    def value(self) -> int:
        """What is left out, or would be."""
        return IGNORED if self._given is None else self._given

    def find_marks(self, split: str, source: Tensor, *, classes: int) -> None:
        """Find out whether class indices hold 255 for what is not scored.

        Args:
            split: Whose they are.
            source: One batch of them, as it was read.
            classes: Of the outputs.

        Raises:
            ValueError: If 255 may as well stand for 1, as in masks that are stored as images, and no batch so
                far has shown another class than 0.
        """
        is_map = source.ndim >= _IMAGES and not source.is_floating_point()
        may_be = is_map or source.dtype == torch.uint8
        is_told = self._given != IGNORED or split in self._have_marks
        if is_told or classes > HIGHEST or not may_be:
            return
        if split not in self._have_others and bool(((source > 0) & (source < classes)).any()):
            self._have_others.add(split)
        if not self._known.hold(source, HIGHEST):
            return
        others = source[(source != HIGHEST) & ~equal(source, IGNORED)]
        if bool(((others < 0) | (others >= classes)).any()):
            return  # no such map: the scores say what is wrong with it
        if split not in self._have_others:
            raise ValueError(
                f"the targets are 0 and 255 for {classes} classes, and 255 may stand for class 1 or mark "
                "what is not scored; let the split give 0 and 1, as in (targets == 255).long(), or write "
                "Measuring(ignore_index=255)"
            )
        self._have_marks.add(split)
        self._say(
            f"the targets of {split!r} that are 255 are left out: the model has {classes} classes, and 255 "
            "usually marks what is not scored; Measuring(ignore_index=255) says so itself"
        )

    def kept(self, split: str, targets: Tensor, *, source: Tensor, is_shifted: bool = False) -> Tensor | None:
        """Return which targets count, or ``None`` if all of them do.

        Args:
            split: Whose they are.
            targets: As they are scored, on the model's device.
            source: The same as they were read: those on the host are looked at without a synchronisation.
            is_shifted: Whether some were filled in.
        """
        has_marks = split in self._have_marks
        if self._given is None and not is_shifted:
            return None
        if not is_shifted and not has_marks and not self._known.hold(source, self.value):
            return None
        kept = ~equal(targets, self.value)
        return kept & (targets != HIGHEST) if has_marks else kept

    def as_torch(self, split: str, targets: Tensor) -> Tensor:
        """Return targets with what is left out as torch's own loss knows it."""
        values = [self.value] * (self.value != IGNORED) + [HIGHEST] * (split in self._have_marks)
        for value in values:
            targets = targets.long().masked_fill(equal(targets, value), IGNORED)
        return targets


class _KnownTargets:
    """Says whether targets hold a value; what would need a synchronisation is asked once."""

    def __init__(self) -> None:
        self._without: MutableMapping[Tensor, dict[int, int]] = WeakTensorKeyDictionary()

    def hold(self, targets: Tensor, value: int) -> bool:
        """Say whether one of the targets is ``value``."""
        if targets.device.type == "cpu":
            return bool(equal(targets, value).any())
        # Torch's own count of writes, which it does not keep of tensors made in inference mode.
        version = -1 if targets.is_inference() else targets._version  # noqa: SLF001
        known = self._without.setdefault(targets, {})
        if known.get(value) == version:
            return False
        holds = bool(equal(targets, value).any())
        if not holds:
            known[value] = version
        return holds


def equal(targets: Tensor, value: int) -> Tensor:
    """Return where targets are ``value``; torch takes -100 for 156 where they are bytes.

    Source: definition. Cost: one comparison.

    >>> equal(torch.tensor([156, 7], dtype=torch.uint8), -100)
    tensor([False, False])
    """
    return (targets.long() if targets.dtype == torch.uint8 and value < 0 else targets) == value

"""What targets are that lie to outputs one by one, by their values."""

from enum import StrEnum
from typing import Literal, NamedTuple

import torch
from torch import Tensor

LossName = Literal["cross_entropy", "bce", "mse"]
LOSSES: tuple[LossName, ...] = ("cross_entropy", "bce", "mse")
HIGHEST = 255
"""What images of bytes hold for 1, and maps of classes for what is not scored."""

_ROUNDING = 1e-3


class Kind(StrEnum):
    """What targets are.

    ``CLASSES``: class indices. ``BINARY``: 0 or 1 of a single logit. ``ONE_HOT``: class indices as rows of 0
    and one 1. ``SOFT``: shares of classes that sum to 1. ``LABELS``: several, each 0 or 1. ``VALUES``: any
    numbers.
    """

    CLASSES = "classes"
    BINARY = "binary"
    ONE_HOT = "one-hot"
    SOFT = "soft"
    LABELS = "labels"
    VALUES = "values"

    @property
    def has_classes(self) -> bool:
        """Each row is of one class."""
        return self in (Kind.CLASSES, Kind.BINARY, Kind.ONE_HOT)


class Reading(NamedTuple):
    """What targets were read as, the loss that is usual for them, and what they are in words."""

    kind: Kind
    loss: LossName
    because: str


def kind_of(targets: Tensor, *, ignored: int | None) -> Reading:
    """Return what targets ``[..., C]`` are, one an output, where 255 may stand for 1.

    Args:
        targets: Of a first batch.
        ignored: A value of a single logit's targets that are left out.

    Raises:
        ValueError: If they are 0, 1 and a value that seems to mark what is left out, and is not said to be.

    Source: definition. Cost: some comparisons, and synchronisations.

    >>> kind_of(torch.tensor([[0], [255]], dtype=torch.uint8), ignored=None).because
    '0 or 255 of a single logit, read as 0 or 1'
    """
    wide = targets.detach().double() if targets.device.type != "mps" else targets.detach().float()
    is_single = targets.shape[-1] == 1
    is_marked = torch.zeros_like(wide, dtype=torch.bool) if ignored is None else wide == ignored
    has_ones = bool(((wide == 1) & ~is_marked).any())
    is_high = bool(((wide == HIGHEST) & ~is_marked).any())
    wide = unit(wide, ignored=ignored)
    is_zero_one = bool(((wide == 0) | (wide == 1) | is_marked).all())
    if is_zero_one and ((is_high and has_ones) or (not is_single and bool(is_marked.any()))):
        raise ValueError(_marked(HIGHEST if is_high else ignored, is_single=is_single))
    scaled = ", read as 0 or 1" if is_high else ""
    high = HIGHEST if is_high else 1
    sums_to_one = bool(((wide.sum(-1) - 1).abs() < _ROUNDING).all()) and bool((wide >= 0).all())
    if is_zero_one and is_single:
        return Reading(Kind.BINARY, "bce", f"0 or {high} of a single logit{scaled}")
    if is_zero_one and sums_to_one:
        return Reading(Kind.ONE_HOT, "cross_entropy", f"one-hot rows{' of 255' * is_high}{scaled}")
    if sums_to_one and not is_single:
        return Reading(Kind.SOFT, "cross_entropy", "rows that sum to 1")
    if is_zero_one:
        return Reading(Kind.LABELS, "bce", f"0 or {high}, several a row{scaled}")
    return Reading(Kind.VALUES, "mse", "numbers of the shape of the outputs")


def unit(targets: Tensor, *, ignored: int | None) -> Tensor:
    """Return targets that are 0 or 1, with 1 for 255 unless that is ignored.

    Source: definition. Cost: a comparison and a copy; none of ``bool``.

    >>> unit(torch.tensor([0, 255, -100]), ignored=-100)
    tensor([   0,    1, -100])
    """
    is_narrow = targets.dtype in (torch.bool, torch.int8)  # which cannot hold it
    if ignored == HIGHEST or is_narrow:
        return targets
    return targets.masked_fill(targets == HIGHEST, 1)


def _marked(value: int | None, *, is_single: bool) -> str:
    if value == HIGHEST and is_single:
        return (
            "the targets are 0, 1 and 255 of a single logit, and 255 usually marks what is not scored; write "
            "Measuring(ignore_index=255) to leave it out"
        )
    return (
        f"the targets are 0, 1 and {value}, several a row, and of such none are left out; give "
        "Measuring(loss=...) a function that does, or let the split give 0 and 1"
    )

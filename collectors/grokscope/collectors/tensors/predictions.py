"""What every curve measure asks of its input: logits ``[N, C]`` and targets ``[N]``."""

import torch
from torch import Tensor


def checked_predictions(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits in at least single precision and targets as ``int64``, or say what is wrong.

    Half precision is widened before anything is summed. On the CPU a target outside 0..C-1 raises; on an
    accelerator raising would need a synchronisation (and an unchecked index would abort the whole process),
    so there the rows of such targets become NaN, which every measure treats as it treats any NaN.

    Args:
        logits: ``[N, C]`` floating point, N ≥ 1, C ≥ 2; NaN is allowed.
        targets: ``[N]`` integers, on the same device.

    Raises:
        ValueError: If a shape, a type or (on the CPU) a value is not as above.

    Source: definition. Cost: free for float32; one comparison of the targets on the CPU.

    >>> checked_predictions(torch.zeros(1, 2, dtype=torch.bfloat16), torch.tensor([1]))
    (tensor([[0., 0.]]), tensor([1]))
    """
    _check_shapes(logits, targets)
    logits, targets = widened(logits.detach()), targets.detach().long()
    classes = logits.shape[1]
    if targets.device.type != "cpu":
        return _with_nan_rows(logits, targets)
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise ValueError(
            f"targets must lie in 0..{classes - 1}, the classes of the logits, got {low}..{high}; "
            "if one value marks padding, leave it out by Measuring(ignore_index=...)"
        )
    return logits, targets


def checked_columns(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits ``[C, N]`` and targets ``[1, N]``, checked as ``checked_predictions`` does.

    With the classes first, what is reduced over them runs several samples abreast.

    Source: definition. Cost: as ``checked_predictions``.

    >>> checked_columns(torch.zeros(1, 2), torch.tensor([1]))
    (tensor([[0.],
            [0.]]), tensor([[1]]))
    """
    wide, targets = checked_predictions(logits, targets)
    return wide.T, targets.unsqueeze(0)


def logits_of(output: object) -> Tensor:
    """Return the logits that a model gave: its output itself, or ``.logits`` of it.

    Raises:
        TypeError: If there are none.

    Source: definition; ``.logits`` as in transformers. Cost: none.

    >>> logits_of(torch.zeros(1, 2))
    tensor([[0., 0.]])
    """
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    if not isinstance(logits, Tensor):
        raise TypeError(
            f"the model must return logits as a tensor or as .logits, got {type(output).__name__}; "
            "wrap the model so that it returns its logits"
        )
    return logits


def widened(values: Tensor) -> Tensor:
    """Return ``values`` in single precision if they are narrower, else untouched.

    Source: definition. Cost: one copy of half-precision tensors, else nothing.

    >>> widened(torch.zeros(1, dtype=torch.float16)).dtype, widened(torch.zeros(1).double()).dtype
    (torch.float32, torch.float64)
    """
    return values if values.dtype in {torch.float32, torch.float64} else values.float()


def widest(values: Tensor) -> Tensor:
    """Return ``values`` in double precision, for differences of what nearly agrees; Metal has only single.

    Source: definition. Cost: one copy, unless they are double already.

    >>> widest(torch.zeros(1)).dtype
    torch.float64
    """
    return values.float() if values.device.type == "mps" else values.double()


def _check_shapes(logits: Tensor, targets: Tensor) -> None:
    shapes = f"logits {list(logits.shape)} and targets {list(targets.shape)}"
    if logits.ndim != 2 or targets.shape != logits.shape[:1]:  # noqa: PLR2004 - N and C
        raise ValueError(f"logits must be [N, C] and targets [N], got {shapes}; flatten leading dimensions")
    if logits.shape[0] == 0:
        raise ValueError(f"measures need at least one sample, got {shapes}; pass a split that is not empty")
    if logits.shape[1] < 2:  # noqa: PLR2004 - one class is no choice
        raise ValueError(
            f"measures need at least two classes, got {shapes}; for a single logit z stack [0, z]"
        )
    if not logits.is_floating_point():
        raise ValueError(f"logits must be floating point, got {logits.dtype}; pass the scores before argmax")
    if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
        raise ValueError(f"targets must be class indices (int64), got {targets.dtype}; convert with .long()")


def _with_nan_rows(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    inside = targets.clamp(0, logits.shape[1] - 1)
    return torch.where((inside == targets).unsqueeze(1), logits, torch.nan), inside

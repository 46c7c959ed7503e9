"""The values of an array as a user has them, as plain float32 or float64 in the order of C."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from grokscope.collectors.interrupts import is_interrupt
from grokscope.schemas.arrays import MOST_AXES, MOST_VALUES

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN = 120
_NARROW = np.dtype(np.float32).itemsize


def numbers(name: str, values: Any) -> "Tensor | NDArray[Any]":
    """Return values as a dense array of float32 or float64.

    Floats of at most 32 bits are float32, all else is float64, in which whole numbers beyond 2⁵³ are rounded.
    What a mask hides, and ``None``, is NaN.

    Args:
        name: What to call them in an error.
        values: A tensor of any layout on any device, lists of such, or what numpy makes an array of.

    Returns:
        A tensor where they are on an accelerator, otherwise a numpy array.

    Raises:
        ValueError: If they are no small array of numbers; says what they are and what would help.

    >>> numbers("norms", [[1, 2], [3, None]]).tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    if isinstance(values, list | tuple):
        count = len(cast("list[Any]", values))
        if count > MOST_VALUES:  # before anybody looks at each of them
            raise _too_many(name, [count], count)
    with _readable(name):
        values = _joined(values, depth=MOST_AXES)
    return _tensor(name, values) if hasattr(values, "detach") else _host_array(name, values)


def _joined(values: Any, *, depth: int) -> Any:
    """Return lists with tensors in them as one tensor: norms of layers are such, each still on its graph."""
    if not isinstance(values, list | tuple) or not values or not depth:
        return cast("Any", values)
    listed = cast("list[Any]", values)
    if not any(hasattr(kind, "detach") or issubclass(kind, list | tuple) for kind in set(map(type, listed))):
        return listed
    parts = [_joined(part, depth=depth - 1) for part in listed]
    first = next((part for part in parts if hasattr(part, "detach")), None)
    if first is None:
        return listed
    import torch  # noqa: PLC0415 - torch is optional

    return torch.stack([torch.as_tensor(part).detach().to(first.device) for part in parts])


def _tensor(name: str, values: "Tensor") -> "Tensor | NDArray[Any]":
    import torch  # noqa: PLC0415 - torch is optional

    with _readable(name):
        shape, count = [*map(int, values.shape)], values.numel()
    if values.is_complex():
        raise _is_complex(name)
    if values.device.type == "meta":
        raise ValueError(f"{name!r} is on the device 'meta', where tensors have no values")
    _check_size(name, shape, count)
    with _readable(name):
        dense = values.detach()
        dense = dense.dequantize() if dense.is_quantized else dense
        dense = dense if dense.layout is torch.strided else dense.to_dense()
        is_narrow = dense.dtype.is_floating_point and dense.dtype.itemsize <= _NARROW
        # MPS has no float64; elsewhere it holds every whole number up to 2^53.
        is_narrow = is_narrow or dense.device.type == "mps"
        wide = dense.to(torch.float32 if is_narrow else torch.float64)
        if wide.device.type == "cpu":
            return wide.resolve_neg().contiguous().numpy()
        # A copy on the device: where none is started at once, the caller may change the tensor meanwhile.
        return wide.contiguous().clone() if wide.device.type != "cuda" else wide.contiguous()


def _host_array(name: str, values: Any) -> "NDArray[Any]":
    with _readable(name):
        array = np.asarray(values)
    is_objects = array.dtype.kind == "O" and array.ndim > 0
    if array.dtype.kind == "c":
        raise _is_complex(name)
    if array.dtype.kind not in "fiub" and not is_objects:
        got = type(values).__name__ if array.dtype.kind == "O" else f"values of {array.dtype}"
        raise ValueError(f"{name!r} must hold numbers, got {got}")
    _check_size(name, array.shape, array.size)
    is_narrow = array.dtype.kind == "f" and array.dtype.itemsize <= _NARROW
    with _readable(name), np.errstate(over="raise"):
        plain = np.ascontiguousarray(array, dtype=np.float32 if is_narrow else np.float64)
        if isinstance(values, np.ma.MaskedArray):
            plain = np.where(np.ma.getmaskarray(cast("Any", values)), np.nan, plain).astype(plain.dtype)
    return plain


def _check_size(name: str, shape: "list[int] | tuple[int, ...]", count: int) -> None:
    if not shape:
        raise ValueError(f"{name!r} is one number; log it with log")
    if len(shape) > MOST_AXES:
        raise ValueError(f"{name!r} has {len(shape)} axes, and may have {MOST_AXES}; reshape it")
    if not count:
        raise ValueError(f"{name!r} has no values (its shape is {list(shape)})")
    if count > MOST_VALUES:
        raise _too_many(name, list(shape), count)


def _too_many(name: str, shape: list[int], count: int) -> ValueError:
    return ValueError(
        f"{name!r} has {count:,} values (its shape is {shape}), and may have {MOST_VALUES:,}; log a part, or "
        "a summary of it"
    )


def _is_complex(name: str) -> ValueError:
    return ValueError(f"{name!r} is complex; log its absolute values, or its parts")


@contextmanager
def _readable(name: str) -> Generator[None]:
    """Say of what nobody can make numbers that it is no array: each library says that in its own way."""
    try:
        yield
    except Exception as error:
        if is_interrupt(error):
            raise
        why = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ValueError(
            f"{name!r} is no array of numbers ({why[:_SHOWN]}); log a dense tensor, a numpy array, or lists "
            "of one length"
        ) from error

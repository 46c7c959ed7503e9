"""Which operation made a model's outputs, whether or not anything is trained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Changes of shape, type and place, and limits: what goes in decides what comes out.
_PASSED_ON = frozenset({
    *("view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze", "unsqueeze", "permute", "transpose"),
    *("select", "slice", "index", "index_select", "gather", "split", "unbind", "expand", "alias", "t"),
    *("detach", "clone", "_to_copy", "contiguous", "clamp", "clamp_min", "clamp_max", "nan_to_num"),
})  # fmt: skip
_EXPONENTS = {"_log_softmax": "_softmax", "log_sigmoid_forward": "sigmoid"}


def operation_of(run: Callable[[], object]) -> str | None:
    """Return the name of the operation that made a tensor, but for changes of its shape and type.

    Args:
        run: Makes it, by operations of torch.

    Returns:
        As torch calls it, ``_softmax`` and ``sigmoid`` of the exponential of their logarithms too; ``None``
        if it is not known.

    Source: definition. Cost: what ``run`` costs, some microseconds an operation.

    >>> import torch
    >>> z = torch.zeros(2, 3)
    >>> operation_of(lambda: z.softmax(-1)[:, 1]), operation_of(lambda: z.log_softmax(-1).exp())
    ('_softmax', '_softmax')
    >>> operation_of(lambda: z @ z.T), operation_of(lambda: z)
    ('mm', None)
    """
    made = _Made()
    try:
        with made:
            found = run()
    except Exception:  # noqa: BLE001 - it ran before: only what looks on here can have failed
        return None
    return made.by_storage.get(_storage(found)) if isinstance(found, Tensor) else None


class _Made(TorchDispatchMode):
    """Keeps the operation that wrote each storage; one that is used again is written again."""

    def __init__(self) -> None:
        super().__init__()
        self.by_storage: dict[int, str | None] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> Any:
        made: object = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket.__name__).removesuffix("_")
        before = next((self.by_storage.get(_storage(part)) for part in _tensors(args)), None)
        name = before if name in _PASSED_ON else _EXPONENTS.get(before or "", name) if name == "exp" else name
        for part in _tensors(made):
            self.by_storage[_storage(part)] = name
        return made


def _tensors(held: object) -> Iterator[Tensor]:
    if isinstance(held, Tensor):
        yield held
    elif isinstance(held, tuple | list):
        for part in cast("Sequence[object]", held):
            yield from _tensors(part)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()

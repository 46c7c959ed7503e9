"""One value of a configuration as text: the same in every process, without addresses in memory."""

import functools
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

_MOST_ELEMENTS = 100
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)


def setting_text(value: Any) -> str:
    """Return a value as text: functions and classes by their names, scalars of numpy and torch as numbers.

    Args:
        value: Anything; what it raises of its own passes.

    >>> from pathlib import Path
    >>> setting_text(Path("data/a")), setting_text(len), setting_text(Path), setting_text(0.1)
    ('data/a', 'len', 'pathlib.Path', '0.1')
    >>> setting_text(functools.partial(int, base=2))
    'int(base=2)'
    """
    if isinstance(value, (type, *_FUNCTIONS)):
        return _qualified(value)
    if isinstance(value, functools.partial):
        return _partial_text(cast("functools.partial[Any]", value))
    kind: Any = type(value)
    if hasattr(kind, "dtype") and hasattr(kind, "shape") and hasattr(kind, "tolist"):
        return _array_text(value)
    # Without a text of its own, an object tells only where it lies.
    return _qualified(kind) if has_no_text(value) else str(value)


def has_no_text(value: object) -> bool:
    """Say whether an object's text is Python's own, which is its address.

    >>> has_no_text(object()), has_no_text(1)
    (True, False)
    """
    kind = type(value)
    return kind.__repr__ is object.__repr__ and kind.__str__ is object.__str__


def _qualified(value: Any) -> str:
    name = str(getattr(value, "__qualname__", None) or getattr(value, "__name__", type(value).__name__))
    module: object = getattr(value, "__module__", None)
    return name if module in {None, "builtins"} else f"{module}.{name}"


def _partial_text(value: "functools.partial[Any]") -> str:
    given = [*map(setting_text, value.args)]
    given += [f"{name}={setting_text(each)}" for name, each in value.keywords.items()]
    return f"{setting_text(value.func)}({', '.join(given)})"


def _array_text(value: Any) -> str:
    size = 1
    for length in value.shape:
        size *= int(length)
    if size <= _MOST_ELEMENTS:
        return str(value.tolist())
    return f"{_qualified(type(value))} of {value.dtype}, shape {tuple(value.shape)}"

"""JSON as it comes: objects and lists in it, with a type, and nothing where there is something else."""

from typing import Any, cast


def object_of(value: Any) -> dict[str, Any]:
    """Return ``value`` if it is an object, else an empty one.

    >>> object_of({"a": 1}), object_of(3)
    ({'a': 1}, {})
    """
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return ``value`` if it is a list, else an empty one.

    >>> list_of([1]), list_of("no")
    ([1], [])
    """
    return cast("list[Any]", value) if isinstance(value, list) else []


def inside(value: Any) -> list[Any]:
    """Return what is in an object or a list; nothing of anything else.

    >>> inside({"a": 1}), inside([2]), inside("3")
    ([1], [2], [])
    """
    return [*object_of(value).values(), *list_of(value)]

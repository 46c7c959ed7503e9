"""The optimizers of a training, whatever they are handed over in: wrappers, lists, mappings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

_DEEPEST = 4


class JoinedOptimizer:
    """Several optimizers of one training, read as one: their groups in order, and their states together.

    Args:
        members: In the order in which they were given.

    >>> import torch
    >>> w, b = torch.nn.Linear(2, 2).parameters()
    >>> both = JoinedOptimizer([torch.optim.SGD([w], lr=0.1), torch.optim.Adam([b])])
    >>> [group["lr"] for group in both.param_groups], len(both.state)
    ([0.1, 0.001], 0)
    """

    def __init__(self, members: Sequence[Any]) -> None:
        self.members = tuple(members)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all members, in order."""
        return [group for member in self.members for group in member.param_groups]

    @property
    def state(self) -> dict[Any, Any]:
        """The states of all members by parameter, read-only in effect: a new mapping at each call."""
        return {key: value for member in self.members for key, value in dict(member.state).items()}


def given_optimizers(given: object, *, depth: int = _DEEPEST) -> tuple[object, ...]:
    """Return the optimizers in what was given: one, a sequence of them, or a mapping's values.

    Args:
        given: What may hold itself, as an attribute of a wrapper may.
        depth: Of sequences and mappings in one another that are opened.

    >>> given_optimizers({"muon": 1, "others": [2, 3]})
    (1, 2, 3)
    """
    held = list(cast("Mapping[object, object]", given).values()) if isinstance(given, Mapping) else given
    if not depth or not isinstance(held, list | tuple | set | frozenset):
        return (cast("object", given),)
    return tuple(
        one for part in cast("Sequence[object]", held) for one in given_optimizers(part, depth=depth - 1)
    )


def is_optimizer(value: object) -> bool:
    """Say whether ``value`` has what every optimizer has: groups of parameters, and steps.

    >>> import torch
    >>> is_optimizer(torch.optim.SGD), is_optimizer("adam")
    (False, False)
    """
    try:
        groups = getattr(value, "param_groups", None)
        return not isinstance(value, type) and hasattr(groups, "__iter__") and hasattr(value, "step")
    except Exception:  # noqa: BLE001 - an attribute of the user's own may raise anything
        return False


def can_be_hooked(optimizer: object) -> bool:
    """Say whether torch calls hooks around this optimizer's steps.

    A subclass that leaves out ``super().__init__``, as wrappers do, has the methods and nothing behind them.

    >>> import torch
    >>> can_be_hooked(torch.optim.SGD(torch.nn.Linear(1, 1).parameters())), can_be_hooked(3)
    (True, False)
    """
    own = getattr(optimizer, "__dict__", {})
    has_hooks = all(name in own for name in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"))
    return has_hooks and bool(getattr(getattr(type(optimizer), "step", None), "hooked", False))


def hooked_optimizers(optimizer: object) -> tuple[Any, ...]:
    """Return every optimizer that can be hooked in ``optimizer``, itself first, then those that it holds.

    A wrapper (Accelerate's, Lightning's, LARC, SAM, Lookahead) keeps the real optimizer in some attribute.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> inner = torch.optim.SGD(torch.nn.Linear(1, 1).parameters())
    >>> hooked_optimizers(SimpleNamespace(optim=inner, param_groups=[], step=inner.step)) == (inner,)
    True
    """
    found: dict[int, object] = {id(one): one for one in _within(optimizer, depth=0, seen=set())}
    return tuple(one for one in found.values() if can_be_hooked(one))


def readable_optimizer(given: object) -> Any:
    """Return one object with ``param_groups`` and ``state`` for all that was given; ``None`` for none.

    A wrapper without a state of its own gives way to the optimizer inside it.

    >>> readable_optimizer([]) is None
    True
    """
    each = [_with_state(one) for one in given_optimizers(given)]
    if len(each) == 1:
        return each[0]
    return JoinedOptimizer(each) if each else None


def _with_state(optimizer: object) -> object:
    if can_be_hooked(optimizer):
        return optimizer
    inner = [one for one in hooked_optimizers(optimizer) if one is not optimizer]
    if len(inner) == 1:
        return inner[0]
    return JoinedOptimizer(inner) if inner else optimizer


def _within(value: object, *, depth: int, seen: set[int]) -> Iterator[object]:
    if id(value) in seen or depth > _DEEPEST:
        return
    seen.add(id(value))
    yield value
    for part in list(getattr(value, "__dict__", {}).values()):
        for one in given_optimizers(part):
            if is_optimizer(one):
                yield from _within(one, depth=depth + 1, seen=seen)

"""Searches on a line: the lowest point of a function, and where one crosses 0."""

from collections.abc import Callable
from typing import Any, cast

from scipy import optimize

Function = Callable[[float], float]


def lowest(loss: Function, bounds: tuple[float, float], *, tolerance: float = 1e-5) -> tuple[float, float]:
    """Return where ``loss`` is lowest within ``bounds``, and how low, by Brent's method.

    >>> place, _ = lowest(lambda x: (x - 0.3) ** 2, (0.0, 1.0))
    >>> round(place, 3)
    0.3
    """
    search = cast("Any", optimize.minimize_scalar)
    found = search(loss, bounds=bounds, method="bounded", options={"xatol": tolerance})
    return float(found.x), float(found.fun)


def crossing(excess: Function, inside: float, end: float, *, tolerance: float = 1e-4) -> float | None:
    """Return where ``excess``, below 0 at ``inside``, crosses it up to ``end``, if it does.

    >>> round(crossing(lambda x: x * x - 2.0, 0.0, 9.0), 3)
    1.414
    """
    if excess(end) <= 0:
        return None
    search = cast("Any", optimize.brentq)
    return float(search(excess, inside, end, xtol=tolerance))

"""The formula of a measure, as the docstring of its function has it."""

import inspect
from collections.abc import Callable
from typing import Any


def formula_of(function: Callable[..., Any]) -> str:
    """Return the indented lines that stand before the arguments in a function's docstring, as one line.

    >>> def double(x: float) -> float:
    ...     '''Return twice a number.
    ...
    ...         y = 2x
    ...
    ...     Args:
    ...         x: The number.
    ...     '''
    ...     return 2 * x
    >>> formula_of(double)
    'y = 2x'
    """
    before = (inspect.getdoc(function) or "").partition("Args:")[0].splitlines()[1:]
    return " ".join(line.strip() for line in before if line.startswith("    "))

"""The last part of a metric's key: where in the model something was measured."""

import re

# What MLflow allows in a metric's name, less the slash that separates the parts of a key.
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]")


def location(name: str) -> str:
    """Return a module's or parameter's name as a key may hold it: any other character becomes ``_``.

    >>> location("blocks.0.attention/out")
    'blocks.0.attention_out'
    """
    return _UNSAFE.sub("_", name)

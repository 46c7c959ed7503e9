"""The last part of a metric's key: where in the model something was measured."""

import re

# What MLflow allows in a metric's name, less the slash that separates our own parts.
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]")


def where(name: str) -> str:
    """Return a module's or parameter's name as a key may hold it: any other character becomes ``_``.

    >>> where("blocks.0.attention/out")
    'blocks.0.attention_out'
    """
    return _UNSAFE.sub("_", name)

"""Which settings are withheld: one rule for what is trained and for what is imported."""

import re

WITHHELD = "[withheld]"
"""What stands in a secret's place."""

_SECRET = re.compile(r"secret|passw|credential|(api|access|private)_?key", re.IGNORECASE)
# One that lets somebody in is text; those that a model reads are counted, and come in the plural.
_TOKEN = re.compile(r"token(?![a-z])", re.IGNORECASE)


def is_secret(name: str, value: object) -> bool:
    """Say whether a setting's name tells of a secret.

    >>> [is_secret(name, "x") for name in ("api_key", "hub_token", "tokenizer", "lr")]
    [True, True, False, False]
    >>> is_secret("max_token", 1000)
    False
    """
    is_count = isinstance(value, int | float)
    return bool(_SECRET.search(name)) or (not is_count and bool(_TOKEN.search(name)))

"""Docstrings of the house, as the site's reader of docstrings and Markdown take them."""

import re
from typing import Any

from griffe import Extension, Object

_EXAMPLES = re.compile(r"(?:^>>> .*(?:\n(?!\s*$).*)*\n*)+", re.MULTILINE)
_SHARED = re.compile(r"^    (\w+(?:, \w+)+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


class Docstrings(Extension):
    """Writes what the house's docstrings leave to the reader's eye."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Fence examples, which would be quotes, and give attributes that share a line each their own."""
        if obj.docstring:
            text = _EXAMPLES.sub(lambda found: f"```pycon\n{found[0].strip()}\n```\n", obj.docstring.value)
            obj.docstring.value = _SHARED.sub(
                lambda found: "\n".join(f"    {name}: {found[2]}" for name in found[1].split(", ")), text
            )

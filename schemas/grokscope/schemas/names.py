"""Names of metrics and params, as MLflow takes them."""

import re

NAME_LENGTH = 250

_REFUSED = re.compile(r"[^\w\-. :/]")


def safe_name(name: str, *, length: int = NAME_LENGTH) -> str:
    """Return ``name`` with what MLflow refuses in names replaced by ``_``, cut to ``length`` characters.

    MLflow reads a name as a path: it may not begin or end with a slash, nor lead anywhere by ``.`` or ``..``.

    >>> safe_name("loss[0]"), safe_name("/a//b"), safe_name("train/loss"), safe_name("..loss")
    ('loss_0_', 'a/b', 'train/loss', '__loss')
    """
    parts = [part for part in _REFUSED.sub("_", name)[:length].split("/") if part not in ("", ".", "..")]
    joined = "/".join(parts) or "_"
    return f"__{joined[2:]}" if joined.startswith("..") else joined

"""Names and texts that MLflow takes."""

import hashlib
from collections.abc import Iterable

from grokscope.schemas.names import NAME_LENGTH, safe_name

_PARAM = 6000


def stored_names(names: Iterable[str]) -> dict[str, str]:
    """Map each name to one that MLflow takes; two names never become one.

    >>> stored_names(["loss[0]", "/a//b", "train/loss", "a/b"])
    {'loss[0]': 'loss_0_', '/a//b': 'a/b-13c7a6', 'train/loss': 'train/loss', 'a/b': 'a/b'}
    """
    listed = list(names)
    taken = {name for name in listed if _safe(name) == name}
    stored = dict[str, str]()
    for name in listed:
        safe = _safe(name)
        if safe != name and safe in taken:
            safe = f"{safe[: NAME_LENGTH - 7]}-{_short(name)}"
        taken.add(safe)
        stored[name] = safe
    return stored


def stored_text(text: str) -> str:
    """Return the value of a param, cut to what MLflow takes, without what no database takes."""
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= _PARAM else clean[: _PARAM - 1] + "…"


def _safe(name: str) -> str:
    if len(name) <= NAME_LENGTH:
        return safe_name(name)
    return f"{safe_name(name, length=NAME_LENGTH - 7)}-{_short(name)}"


def _short(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]

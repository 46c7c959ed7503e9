"""Which addresses can be those of a store that MLflow writes to."""

import re
from collections.abc import Container

from grokscope.schemas.places import sqlite_path
from grokscope.schemas.secrets import redacted

ALLOWED_STORES = "Allowed: sqlite:///PATH, http(s)://HOST, postgresql://HOST/DATABASE"
"""What to write instead, for a person."""

# Those that MLflow 3 writes to by itself.
_SCHEMES = frozenset({"sqlite", "http", "https", "postgresql", "mysql", "mssql", "databricks"})
_SCHEME = re.compile(r"([a-z][a-z0-9.-]*)(?:\+[a-z0-9]+)?:(//)?", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]+:\d+(/.*)?")


def why_no_store(uri: str, *, others: Container[str] = ()) -> str | None:
    """Return why ``uri`` is not the address of a store that MLflow writes to; ``None`` if it is one.

    The reason is the end of a sentence that begins with the address, so that the address can be redacted.

    Args:
        uri: An address, as given.
        others: Further schemes that are served, as by a plugin of MLflow; an empty one stands for paths.

    >>> why_no_store("sqlite:////data/mlflow.db") is None
    True
    >>> why_no_store("wandb://x")
    "has the unknown scheme 'wandb'. Allowed: sqlite:///PATH, http(s)://HOST, postgresql://HOST/DATABASE"
    """
    found = _SCHEME.match(uri)
    scheme = found.group(1).lower() if found else ""
    if scheme in others or uri == "databricks":
        return None
    if scheme == "file":
        return f"is a folder store, which MLflow 3 no longer opens. {ALLOWED_STORES}"
    if found is None or not found.group(2):
        return f"is not the address of a store.{_hint(uri)} {ALLOWED_STORES}"
    if scheme not in _SCHEMES:
        return f"has the unknown scheme {scheme!r}. {ALLOWED_STORES}"
    if scheme == "sqlite":
        path = sqlite_path(uri)
        is_file = path is not None and path.name not in {"", ":memory:"}
        return None if is_file else f"names no file. {ALLOWED_STORES}"
    is_complete = scheme == "databricks" or uri[found.end() :].strip("/")
    return None if is_complete else f"names no host. {ALLOWED_STORES}"


def _hint(uri: str) -> str:
    shown = redacted(uri)
    if uri.endswith((".db", ".sqlite")):
        return f" Did you mean sqlite:///{shown}?"
    return f" Did you mean http://{shown}?" if _HOST.fullmatch(uri) else ""

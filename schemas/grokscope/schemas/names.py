"""Names and texts, as MLflow takes them."""

import hashlib
import re

from grokscope.schemas.limits import KEY_LENGTH, PARAM_LENGTH
from grokscope.schemas.secrets import redacted

_REFUSED = re.compile(r"[^\w\-. :/]")
_MARK = 9
_SHOWN = 60
_RESERVED = {"mlflow.": "MLflow", "grokscope.": "grokscope"}


def stored_name(name: str) -> str:
    """Return the name under which MLflow keeps a metric or param: ``name`` itself wherever MLflow takes it.

    Another gets a mark made of the whole name. So it depends on nothing but the name, whatever was logged
    before or beside it, and two names never become one.

    >>> stored_name("train/loss"), stored_name("loss[0]"), stored_name("loss(0)")
    ('train/loss', 'loss_0_-0fea4f39', 'loss_0_-dee4de9e')
    """
    if len(name) <= KEY_LENGTH and (safe := safe_name(name)) == name:
        return safe
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[: _MARK - 1]
    return f"{safe_name(name, length=KEY_LENGTH - _MARK)}-{mark}"


def safe_name(name: str, *, length: int = KEY_LENGTH) -> str:
    """Return ``name`` with what MLflow refuses in names replaced by ``_``, cut to ``length`` characters.

    MLflow reads a name as a path: it may not begin or end with a slash, nor lead anywhere by ``.`` or ``..``.

    >>> safe_name("loss[0]"), safe_name("/a//b"), safe_name("train/loss"), safe_name("..loss")
    ('loss_0_', 'a/b', 'train/loss', '__loss')
    """
    parts = [part for part in _REFUSED.sub("_", name)[:length].split("/") if part not in ("", ".", "..")]
    joined = "/".join(parts) or "_"
    return f"__{joined[2:]}" if joined.startswith("..") else joined


def why_no_tag(name: str) -> str | None:
    """Return why a person cannot give a run a tag of that name, in one sentence; ``None`` if they can.

    >>> why_no_tag("keep"), why_no_tag("mlflow.user")
    (None, "'mlflow.user' is no tag to give: names that begin with mlflow. belong to MLflow.")
    >>> why_no_tag("a(b)")
    "'a(b)' is no tag to give: MLflow takes letters, digits, spaces and _ - . / : in a name, such as 'a_b_'."
    """
    if not name:
        return "A tag has a name, got none. Write one, such as 'keep'."
    for prefix, owner in _RESERVED.items():
        if name.casefold().startswith(prefix):
            return f"{name[:_SHOWN]!r} is no tag to give: names that begin with {prefix} belong to {owner}."
    if len(name) > KEY_LENGTH:
        return f"A tag's name has at most {KEY_LENGTH} characters, got {len(name)}. Shorten it."
    if safe_name(name) != name:
        return (
            f"{name[:_SHOWN]!r} is no tag to give: MLflow takes letters, digits, spaces and _ - . / : "
            f"in a name, such as {safe_name(name)[:_SHOWN]!r}."
        )
    return None


def plain_text(value: object) -> str:
    r"""Return ``value`` as text that every file and database takes: no lone surrogates, no NUL.

    >>> plain_text("a\0b\udcff")
    'ab?'
    """
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def stored_experiment(name: str) -> str:
    """Return the name under which an experiment is kept: what looks like a secret is withheld from it.

    >>> stored_experiment("width and depth"), stored_experiment("api_key=abc")
    ('width and depth', 'api_key=[withheld]')
    """
    return plain_text(redacted(name))


def stored_text(text: str) -> str:
    """Return the value of a param or tag, cut to what MLflow takes, without what no database takes.

    >>> len(stored_text("long" * 5000)), stored_text("short")
    (6000, 'short')
    """
    clean = plain_text(text)
    return clean if len(clean) <= PARAM_LENGTH else clean[: PARAM_LENGTH - 1] + "…"

"""Views under a name: addresses of pages, kept as tags of the MLflow experiment, one tag a view.

Key ``grokscope.view.<first 16 hex digits of the name's SHA-256>``, value ``{"name": "only the wide ones",
"page": "compare", "query": {"where": ["width > 64"]}}``. Whoever can write to the store can write such a
tag, so nothing of it is taken that is not well formed; what the address selects is checked again where it is
opened.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from grokscope.dashboard.words.escaping import plain
from grokscope.schemas import GrokscopeError
from grokscope.schemas.limits import EXPERIMENT_TAG_LENGTH
from grokscope.schemas.names import plain_text
from grokscope.schemas.tags import VIEW_PREFIX

LONGEST_NAME = 60
MOST_VIEWS = 50
"""How many views of an experiment are listed at most."""

_PARAMETER = re.compile(r"(?!embed)[a-z][a-z0-9_]{0,39}")
"""Names of parameters; those that begin with "embed" are Streamlit's own, and cannot be set by a page."""

_MOST_PARAMETERS, _MOST_VALUES = 60, 100


class ViewError(GrokscopeError):
    """A view that cannot be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page's address under a name.

    Attributes:
        name: What people call it, in plain text.
        page: The page's name in the address.
        query: The address's parameters, each with its values.
    """

    name: str
    page: str
    query: Mapping[str, list[str]]


def view_key(name: str) -> str:
    """Return the key of a view's tag.

    >>> view_key("wide")
    'grokscope.view.0abaa40b10436a8f'
    """
    return VIEW_PREFIX + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def view_tag(view: View) -> dict[str, str]:
    """Return the tag that keeps a view, without what pages have no parameter for.

    Raises:
        ViewError: If it has no name, is longer than MLflow keeps, or would not be read again.

    >>> view_tag(View(name="wide", page="runs", query={"where": ["w > 8"]}))
    {'grokscope.view.0abaa40b10436a8f': '{"name": "wide", "page": "runs", "query": {"where": ["w > 8"]}}'}
    """
    name = " ".join(view.name.split())
    if not name or len(name) > LONGEST_NAME or plain(name, limit=LONGEST_NAME) != name:
        raise ViewError(
            f"A view's name has 1 to {LONGEST_NAME} letters that can be seen, got {len(name)}. Change it."
        )
    query = {key: values for key, values in view.query.items() if _PARAMETER.fullmatch(key)}
    text = json.dumps({"name": name, "page": view.page, "query": query}, ensure_ascii=False)
    if len(text) > EXPERIMENT_TAG_LENGTH:
        raise ViewError(
            f"The address is too long to be kept: {len(text):,} of {EXPERIMENT_TAG_LENGTH:,} characters. "
            "Tick fewer runs, or find them by a search."
        )
    if _view(text, [view.page]) is None:
        raise ViewError(
            "The address has more parameters than a view keeps. Open the page anew and choose less."
        )
    return {view_key(name): text}


def views_in(tags: Mapping[str, str], pages: Collection[str]) -> list[View]:
    """Return the views among an experiment's tags, by name; what is not well formed is passed over.

    Args:
        tags: Of the experiment.
        pages: Names of the pages that there are.

    >>> kept = view_tag(View(name="wide", page="runs", query={}))
    >>> [view.name for view in views_in({**kept, "grokscope.view.0": "{]", "note": "x"}, ["runs"])]
    ['wide']
    """
    found = [
        view
        for key, text in tags.items()
        if key.startswith(VIEW_PREFIX) and (view := _view(text, pages)) is not None
        if key == view_key(view.name)
    ]
    return sorted(found, key=lambda view: view.name.casefold())[:MOST_VIEWS]


def _view(text: str, pages: Collection[str]) -> View | None:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    record = cast("dict[str, Any]", value)
    name, page, query = record.get("name"), record.get("page"), record.get("query")
    if not isinstance(name, str) or not isinstance(page, str) or not isinstance(query, dict):
        return None
    parameters = cast("dict[str, Any]", query)
    is_named = 0 < len(name) <= LONGEST_NAME and plain(name, limit=LONGEST_NAME) == name
    if not is_named or page not in pages or len(parameters) > _MOST_PARAMETERS:
        return None
    is_formed = all(_PARAMETER.fullmatch(key) and _is_values(of) for key, of in parameters.items())
    return View(name=name, page=page, query=parameters) if is_formed else None


def _is_values(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    values = cast("list[Any]", value)
    # JSON can write half of a pair of surrogates, which no address takes.
    return len(values) <= _MOST_VALUES and all(isinstance(v, str) and plain_text(v) == v for v in values)

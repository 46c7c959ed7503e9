"""Overrides of roles, kept as tags of the MLflow experiment: one tag a metric.

Key ``grokscope.alias.<first 16 hex digits of the name's SHA-256>`` (a metric's name may hold what a tag's key
may not), value ``{"name": "val_probe", "canonical": "test/accuracy"}``. A key may say which way is better:
``"test/energy:down"``.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from grokscope.schemas import given_key
from grokscope.schemas.names import plain_text
from grokscope.schemas.tags import ALIAS_PREFIX

IGNORED = "-"
"""In place of a key: the metric has no role, and the engine does not get to see it."""


def aliases_in(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the overrides among an experiment's tags: name as logged -> our key, or ``IGNORED``.

    Damaged tags are passed over.

    >>> aliases_in({tag_key("acc"): '{"name": "acc", "canonical": "test/accuracy"}', "note": "mine"})
    {'acc': 'test/accuracy'}
    """
    return dict(
        sorted(found for key, text in tags.items() if key.startswith(ALIAS_PREFIX) for found in _alias(text))
    )


def alias_tag(name: str, canonical: str) -> dict[str, str]:
    """Return the tag that says what a metric is.

    Raises:
        UnknownMetricError: If ``canonical`` is no role, see ``checked_role``.
    """
    value = {"name": name, "canonical": checked_role(canonical)}
    return {tag_key(name): json.dumps(value, ensure_ascii=False)}


def checked_role(canonical: str) -> str:
    """Return the role that a metric has when a person gives it ``canonical``.

    Raises:
        UnknownMetricError: If it is neither a key, see ``schemas.given_key``, nor ``IGNORED``.

    >>> checked_role("test/accuracy"), checked_role("test/reward:up"), checked_role("-")
    ('test/accuracy', 'test/reward', '-')
    """
    return canonical if canonical == IGNORED else given_key(canonical)


def tag_key(name: str) -> str:
    """Return the key of the tag for a metric.

    >>> tag_key("val_probe")
    'grokscope.alias.2e4b6ee0b0f87e5d'
    """
    return ALIAS_PREFIX + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _alias(text: str | None) -> list[tuple[str, str]]:
    try:
        value: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict):
        return []
    pair = cast("dict[str, Any]", value)
    name, canonical = pair.get("name"), pair.get("canonical")
    if not isinstance(name, str) or not isinstance(canonical, str):
        return []
    # JSON can write half of a pair of surrogates, which no table takes.
    return [(plain_text(name), plain_text(canonical))]

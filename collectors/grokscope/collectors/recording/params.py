"""A run's configuration as flat MLflow params."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from grokscope.collectors.warning import contained
from grokscope.schemas import RunDescription
from grokscope.schemas.names import stored_name
from grokscope.schemas.runs.settings import flat_settings, unreadable_settings

_MOST_NAMES = 5

Config = RunDescription | Mapping[str, Any] | Namespace | object | None


def params_of(config: Config, *, warn: Callable[[str], object]) -> dict[str, str]:
    """Return ``config`` as flat text params under names that MLflow takes; secrets are withheld.

    Args:
        config: A run description, or whatever ``grokscope.schemas.runs.settings.flat_settings`` reads.
        warn: Takes a sentence about what cannot be read.

    >>> params_of({"lr": 0.1, "model": {"width": 8}, "api_key": "abc"}, warn=print)
    {'lr': '0.1', 'model.width': '8', 'api_key': '[withheld]'}
    """
    settings: dict[str, str] = {}
    with contained(warn, f"the config, of {type(config).__name__}, cannot be read"):
        settings = flat_settings(config.to_params() if isinstance(config, RunDescription) else config)
    if unread := unreadable_settings(settings):
        more = f" and {len(unread) - _MOST_NAMES} more" if len(unread) > _MOST_NAMES else ""
        names = ", ".join(f"{name} ({why})" for name, why in islice(unread.items(), _MOST_NAMES))
        are = "is" if len(unread) == 1 else "are"
        warn(f"of the config, {names}{more} cannot be read and {are} not logged")
    return {stored_name(name): text for name, text in settings.items()}

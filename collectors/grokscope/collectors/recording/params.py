"""A run's configuration as flat MLflow params."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from grokscope.schemas import RunDescription
from grokscope.schemas.names import stored_name
from grokscope.schemas.runs.settings import flat_settings

Config = RunDescription | Mapping[str, Any] | Namespace | object | None


def params_of(config: Config) -> dict[str, str]:
    """Return ``config`` as flat text params under names that MLflow takes; secrets are withheld.

    Args:
        config: A run description, or whatever ``grokscope.schemas.runs.settings.flat_settings`` reads.

    Raises:
        TypeError: If it is no configuration.

    >>> params_of({"lr": 0.1, "model": {"width": 8}, "api_key": "abc"})
    {'lr': '0.1', 'model.width': '8', 'api_key': '[withheld]'}
    """
    if config is None:
        return {}
    settings = flat_settings(config.to_params() if isinstance(config, RunDescription) else config)
    return {stored_name(name): text for name, text in settings.items()}

"""A run's configuration as flat MLflow params."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, cast

from grokscope.schemas import RunDescription
from grokscope.schemas.names import safe_name
from grokscope.schemas.secrets import WITHHELD, is_secret

Config = RunDescription | Mapping[str, Any] | Namespace | object | None


def params_of(config: Config) -> dict[str, str]:
    """Return ``config`` as flat text params; values whose name tells of a secret are withheld.

    Args:
        config: A run description, a mapping (nested ones get dotted names), a dataclass or a namespace.

    >>> params_of({"lr": 0.1, "model": {"width": 8}, "api_key": "abc"})
    {'lr': '0.1', 'model.width': '8', 'api_key': '[withheld]'}
    >>> params_of({"hub_token": "abc", "max_tokens": 1000, "tokenizer": "gpt2", "token_width": 8})
    {'hub_token': '[withheld]', 'max_tokens': '1000', 'tokenizer': 'gpt2', 'token_width': '8'}
    """
    if config is None:
        return {}
    if isinstance(config, RunDescription):
        config = config.to_params()
    elif is_dataclass(config) and not isinstance(config, type):
        config = asdict(config)
    elif not isinstance(config, Mapping):
        config = vars(config)
    return dict(_flat(cast("Mapping[str, Any]", config)))


def plain_text(value: object) -> str:
    r"""Return ``value`` as text that every file and database takes: no lone surrogates, no NUL.

    >>> plain_text("a\0b\udcff")
    'ab?'
    """
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def _flat(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            pairs += _flat(cast("Mapping[str, Any]", value), f"{name}.")
        else:
            pairs.append((safe_name(name), WITHHELD if is_secret(name, value) else plain_text(value)))
    return pairs

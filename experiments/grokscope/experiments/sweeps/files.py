"""The file that describes a sweep, read: TOML, JSON or YAML, each name in it once."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, cast

import yaml

from grokscope.experiments.sweeps.checks import ConfigError, check_distinct, table

_MOST_BYTES = 1 << 24
_FLOAT = "tag:yaml.org,2002:float"
# YAML takes this for a text, and a person for a number.
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")


def content_of_file(path: Path) -> dict[str, Any]:
    """Return the table that a file holds, in the format of its ending.

    Raises:
        ConfigError: If it is not there, no plain file, too large, cannot be read or holds no table.
    """
    readers = {".toml": tomllib.loads, ".json": _json, ".yaml": _yaml, ".yml": _yaml}
    if path.suffix.lower() not in readers:
        raise ConfigError(f"a sweep is described in a file that ends in {', '.join(readers)}")
    found = _bytes(path)
    if len(found) > _MOST_BYTES:
        raise ConfigError(f"it has more than {_MOST_BYTES:,} bytes, which no description of a sweep has")
    kind = path.suffix[1:].upper().replace("YML", "YAML")
    try:
        content = readers[path.suffix.lower()](found.decode())
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"it is no {kind} ({why})") from error
    return table(content, what="a sweep")


def _bytes(path: Path) -> bytes:
    try:
        # A named pipe that nobody writes to would keep us waiting.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ConfigError("it is no plain file")
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"it cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _json(content: str) -> object:
    return json.loads(content, object_pairs_hook=_without_doubles)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    check_distinct([name for name, _ in pairs], what="a table")
    return dict(pairs)


class _Loader(yaml.SafeLoader):
    """Takes ``1e-3`` for a number and a name only once."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        # Here and not as it is made into a dict: what stands in it by a merge may stand there once more.
        node: Any = super().compose_mapping_node(anchor)
        names = [name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)]
        check_distinct(names, what="a table")
        return node


_Loader.add_implicit_resolver(_FLOAT, _EXPONENT, list("-+0123456789"))


def _yaml(content: str) -> object:
    loader = _Loader(content)
    try:
        return cast("object", loader.get_single_data())
    finally:
        loader.dispose()

"""Files of settings: YAML, JSON, TOML and printed arguments, read as plain data; nothing of them is run."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from grokscope.importing.encodings import in_utf8
from grokscope.schemas.runs.settings import flat_settings

_SETTINGS_BYTES = 1 << 20
_PYTHON = "tag:yaml.org,2002:python/"
_MOST_VALUES = 100_000
"""Values of a YAML file, each counted as often as an alias stands for it."""
_TABLE = 100
"""A part of more plain values than this is a table, such as the labels of a model, and no settings."""

_OWN = "hparams.yaml"
_STEMS = (
    *("config", "cfg", "args", "arguments", "training_args", "train_args", "hparams", "hyperparameters"),
    *("hyperparams", "params", "opt", "opts", "options", "flags", "train_opt", "hyp", "settings"),
)
_HYDRA = (".hydra", "config.yaml")
_ABOVE = 4
"""How far up the folder of Hydra's is looked for: a logger makes folders within the run's."""

_UNREADABLE = (yaml.YAMLError, OSError, ValueError, TypeError, RecursionError, SyntaxError, MemoryError)
_NAMESPACE = re.compile(r"\bNamespace\(")
_LINE = re.compile(r"\s*+(?:--)?(?P<name>[A-Za-z][\w.\-]{0,80}+)\s{0,40}+[:=]\s{0,8}+(?P<value>.*)")
_DEFAULT = re.compile(r"\s*+\[default: .*\]\s*+$")
_RULES = ("-----", "=====", "#")
_LINES = 0.5
"""Of the lines of a text, how many must be settings."""


def is_settings(name: str) -> bool:
    """Say whether programs and people call a file of settings so, and no log.

    >>> is_settings("config.json"), is_settings("metrics.json")
    (True, False)
    """
    path = Path(name.lower())
    return path.stem in _STEMS and path.suffix in READERS


def settings_beside(folder: Path, root: Path, *, is_alone: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the settings in the folder of a log, and what is to be said of them.

    What Lightning and Hydra write goes before what may be anybody's. Links are not followed.

    Args:
        folder: Of the log.
        root: Of the source; nothing outside it is looked at.
        is_alone: The log is of one run, so that what may be anybody's is of this run.
    """
    found: dict[str, str] = {}
    notes: list[str] = []
    taken: list[str] = []
    for path in (*_own(folder, root), *(_usual(folder) if is_alone else ())):
        if path.is_symlink() or not path.is_file():
            continue
        is_own = path.name == _OWN or path.parent.name == _HYDRA[0]
        try:
            told = path.stat()
            settings = _known(path, told.st_mtime_ns, told.st_size)
        except _UNREADABLE as error:
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            notes.append(f"its {path.name} cannot be read: {said}")
            continue
        taken += [path.name] if settings and not is_own else []
        found = {**settings, **found}
    return found, (*([f"its settings are those in {' and '.join(taken)} beside it"] if taken else []), *notes)


def _own(folder: Path, root: Path) -> Iterator[Path]:
    yield folder / _OWN
    for above in (folder, *folder.parents[:_ABOVE]):
        if (above / Path(*_HYDRA)).is_file() and not (above / _HYDRA[0]).is_symlink():
            yield above / Path(*_HYDRA)
            return
        if above == root:
            return


def _usual(folder: Path) -> Iterator[Path]:
    """Yield where settings usually lie: so many names for each log, however many files its folder has."""
    for stem in _STEMS:
        yield from (folder / (stem + end) for end in READERS if stem + end != _OWN)


@lru_cache(maxsize=64)
def _known(path: Path, changed_ns: int, size: int) -> Mapping[str, str]:  # noqa: ARG001 - of what is known
    """Return the settings of a file, which many logs may lie beside, read once as long as it is the same."""
    return settings_in(path)


def settings_in(path: Path) -> dict[str, str]:
    """Return the settings of a file as flat text; of a link, or where there is none, nothing.

    Raises:
        yaml.YAMLError: If it is no YAML, or its aliases stand for very much.
        ValueError: If it is too large, or not what its ending says.
        TypeError: If it holds something else than settings by name.
    """
    if path.is_symlink() or not path.is_file():
        return {}
    if path.stat().st_size > _SETTINGS_BYTES:
        raise ValueError(f"more than {_SETTINGS_BYTES:,} bytes")
    content = READERS.get(path.suffix.lower(), _yaml)(in_utf8(path.read_bytes()))
    if not isinstance(content, Mapping | None):
        raise TypeError(f"it holds a {type(content).__name__} and no settings by name")
    return flat_settings(content if content is None else _without_tables(cast("dict[Any, Any]", content)))


def _without_tables(content: Mapping[Any, Any]) -> dict[Any, Any]:
    parts = {name: cast("object", part) for name, part in content.items()}
    return {name: part for name, part in parts.items() if not (isinstance(part, dict) and _is_table(part))}  # pyright: ignore[reportUnknownArgumentType]


def _is_table(part: Mapping[Any, Any]) -> bool:
    return len(part) > _TABLE and not any(isinstance(cell, dict | list) for cell in part.values())


_PLAIN: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _PlainLoader(_PLAIN):
    """Reads plain data: what would make an object is named, or is what it would be made of."""


def _only_named(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    """Return the members of a node of an unknown tag, such as Python's own, or what it says it would be."""
    members: object = None
    if isinstance(node, yaml.MappingNode) and not tag.startswith(f"{_PYTHON}object/apply"):
        members = loader.construct_mapping(node, deep=True)
    if isinstance(members, dict) and tag.startswith(f"{_PYTHON}object/new"):
        members = cast("dict[object, object]", members).get("dictitems")
    return members or f"<{tag.removeprefix(_PYTHON)}>"


_PlainLoader.add_multi_constructor("", _only_named)


def _yaml(content: bytes) -> object:
    loader = _PlainLoader(content)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        # A few lines of aliases to aliases stand for a structure without an end.
        if _values_in(node, {}) > _MOST_VALUES:
            raise yaml.YAMLError(f"it stands for more than {_MOST_VALUES:,} values")
        return cast("object", loader.construct_document(node))
    finally:
        loader.dispose()


def _values_in(node: Any, counted: dict[int, int]) -> int:
    """Return how many values a node stands for, those behind aliases as often as they are named."""
    known = counted.get(id(node))
    if known == 0:
        raise yaml.YAMLError("one of its aliases stands for what it is a part of")
    if known is not None:
        return known
    counted[id(node)] = 0
    parts: list[Any] = []
    if isinstance(node, yaml.MappingNode):
        parts = [one for pair in cast("list[tuple[Any, Any]]", node.value) for one in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = cast("list[Any]", node.value)
    counted[id(node)] = 1 + sum(_values_in(part, counted) for part in parts)
    return counted[id(node)]


def _json(content: bytes) -> object:
    return json.loads(content.decode())


def _toml(content: bytes) -> object:
    return tomllib.loads(content.decode())


def _text(content: bytes) -> object:
    """Read what programs print of their arguments: JSON, a ``Namespace(…)``, or a setting a line.

    >>> _text(b"--lr = 0.1" + bytes([10]) + b"width: 8   [default: 4]")
    {'lr': '0.1', 'width': '8'}
    >>> _text(b"Namespace(lr=0.1, name='a', f=<function f at 0x1>)"), _text(b"Namespace(lr=0.1)")
    ({}, {'lr': 0.1})
    """
    text = content.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        return json.loads(text)
    if (start := _NAMESPACE.search(text)) is not None:
        return _of_call(text[start.start() :])
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(_RULES)]
    found = [match for line in lines if (match := _LINE.fullmatch(line)) is not None]
    if len(found) < max(1, _LINES * len(lines)):
        return {}
    return {match["name"]: _DEFAULT.sub("", match["value"]).strip() for match in found}


def _of_call(text: str) -> dict[str, object]:
    """Return the arguments of a call that was printed; nothing is called."""
    try:
        call = ast.parse(text.partition("\n")[0].strip(), mode="eval").body
    except SyntaxError:
        return {}
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return {one.arg: _literal(one.value) for one in keywords if one.arg is not None}


def _literal(node: ast.expr) -> object:
    try:
        return cast("object", ast.literal_eval(node))
    except (ValueError, TypeError, RecursionError):
        return ast.unparse(node)


READERS: Mapping[str, Callable[[bytes], object]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": _json,
    ".toml": _toml,
    ".txt": _text,
}
"""Ending of a file of settings -> its reader."""

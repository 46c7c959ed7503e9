"""What lies around a log and belongs to its run: the settings beside it, and the folder that names it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from grokscope.importing.formats import SourceKind
from grokscope.importing.records import Log, SourceRun
from grokscope.schemas.runs.settings import flat_settings

_VERSION = re.compile(r"version_\d+")
_SETTINGS = "hparams.yaml"
_SETTINGS_BYTES = 1 << 20
_PYTHON = "tag:yaml.org,2002:python/"


def with_surroundings(log: Log, *, kind: SourceKind, root: Path) -> Log:
    """Return a log with its kind, and with the settings and the name that its folder gives it.

    Lightning writes each run into a folder ``version_N``, with what the model was made with in
    ``hparams.yaml``. Settings of the log itself go before.
    """
    run = log.run
    place = root / run.source
    folder = place if place.is_dir() else place.parent
    name = run_name(folder, root) if _VERSION.fullmatch(folder.absolute().name) else run.name
    try:
        settings, notes = settings_in(folder / _SETTINGS), run.notes
    except (yaml.YAMLError, OSError, ValueError, TypeError, RecursionError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        settings, notes = {}, (*run.notes, f"its {_SETTINGS} cannot be read: {said}")
    params = {**settings, **run.params}
    return replace(log, run=replace(run, kind=kind.value, name=name, params=params, notes=notes))


def run_name(folder: Path, root: Path) -> str:
    """Return the name of the run in a folder of a source: the way to it, or its own name if it is the source.

    ``version_0`` tells nothing, so its parent's name goes before.

    >>> run_name(Path("logs/a/b"), Path("logs")), run_name(Path("/x/tb/version_0"), Path("/x/tb"))
    ('a/b', 'tb/version_0')
    """
    way = folder.relative_to(root).as_posix()
    own = folder.absolute()
    name = own.name if way == "." else way
    return f"{own.parent.name}/{name}" if _VERSION.fullmatch(name) else name


def named_apart(logs: Sequence[Log]) -> list[Log]:
    """Return logs with the way to their file before the name, where several would be called the same."""
    names = Counter(log.run.name for log in logs)
    return [
        replace(log, run=replace(log.run, name=_way(log.run))) if names[log.run.name] > 1 else log
        for log in logs
    ]


def _way(run: SourceRun) -> str:
    folder = Path(run.source).parent.as_posix()
    return run.name if run.is_certain or folder == "." else f"{folder}/{run.name}"


class _PlainLoader(yaml.SafeLoader):
    """Reads plain data: what would make an object is only named, and nothing stands for something else."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        # A few lines of aliases to aliases are a structure without an end.
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has aliases, which settings do not need")
        return super().compose_node(parent, index)


def _only_named(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> str:  # noqa: ARG001 - yaml's signature
    """Return what a node of an unknown tag, such as Python's own, says that it would be."""
    return f"<{tag.removeprefix(_PYTHON)}>"


_PlainLoader.add_multi_constructor("", _only_named)


def settings_in(path: Path) -> dict[str, str]:
    """Return the settings of a YAML file as flat text; of a link, or where there is none, nothing.

    Raises:
        yaml.YAMLError: If it is no YAML, or has aliases.
        ValueError: If it is too large.
        TypeError: If it holds something else than settings by name.
    """
    if path.is_symlink() or not path.is_file():
        return {}
    if path.stat().st_size > _SETTINGS_BYTES:
        raise ValueError(f"more than {_SETTINGS_BYTES:,} bytes")
    content: Any = _PlainLoader(path.read_bytes()).get_single_data()
    if not isinstance(content, Mapping | None):
        raise TypeError(f"it holds a {type(cast('object', content)).__name__} and no settings by name")
    return flat_settings(cast("object", content))

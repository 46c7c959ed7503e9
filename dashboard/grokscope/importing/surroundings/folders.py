"""What lies around a log and belongs to its run: the settings beside it, and the folder that names it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grokscope.importing.formats import SourceKind
from grokscope.importing.records import Log, SourceRun
from grokscope.importing.surroundings.settings_files import settings_beside

_WITH_SETTINGS = frozenset(
    {SourceKind.WANDB, SourceKind.MLFLOW, SourceKind.TRACKIO, SourceKind.SACRED, SourceKind.DVCLIVE}
)
"""Kinds whose readers take the settings of their runs themselves."""
_VERSION = re.compile(r"version_\d+")


def with_surroundings(log: Log, *, kind: SourceKind, root: Path) -> Log:
    """Return a log with its kind, and with the settings and the name that its folder gives it.

    Lightning writes each run into a folder ``version_N``, with what the model was made with in
    ``hparams.yaml``; Hydra and people's own programs write files of settings. Those of the log itself go
    before.
    """
    run = log.run
    place = root / run.source
    folder = place if place.is_dir() else place.parent
    name = run_name(folder, root) if _VERSION.fullmatch(folder.absolute().name) else run.name
    is_alone = kind not in _WITH_SETTINGS and run.key.removeprefix(run.source) in ("", "#")
    settings, notes = settings_beside(folder, root, is_alone=is_alone)
    params, said = {**settings, **run.params}, (*run.notes, *notes)
    return replace(log, run=replace(run, kind=kind.value, name=name, params=params, notes=said))


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

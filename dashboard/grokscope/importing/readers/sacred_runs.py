"""Sacred's file storage: a folder a run, with ``metrics.json``, ``config.json`` and ``run.json``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number, object_in
from grokscope.importing.readers.tables.times import times_of
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, NotALogError, SourceRun, identity_of
from grokscope.importing.steps import whole_steps
from grokscope.schemas.runs.settings import flat_settings

_METRICS, _CONFIG, _RUN = "metrics.json", "config.json", "run.json"
_BESIDE = frozenset({_METRICS, _CONFIG, _RUN, "cout.txt", "info.json"})
_SERIES = re.compile(rb'\{\s*"[^"]{1,1000}":\s*\{\s*"(?:steps|timestamps|values)":\s*\[')
_STATUS = {"COMPLETED": "FINISHED", "FAILED": "FAILED", "INTERRUPTED": "KILLED"}
_HEAD = 4096


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each folder.

    Raises:
        NotALogError: If it has no metrics.
    """
    for folder in dict.fromkeys(path.parent for path in source.files):
        metrics = object_in(folder / _METRICS, tally)
        frames = [_points(name, series, folder, tally) for name, series in metrics.items()]
        if not frames:
            raise NotALogError(f"{_METRICS!r} holds no metrics")
        points = pl.concat(frames)
        config, told = (_optional(folder / name, tally) for name in (_CONFIG, _RUN))
        settings = {key: value for key, value in config.items() if not key.startswith("__")}
        experiment: Any = told.get("experiment")
        name = cast("dict[str, Any]", experiment).get("name") if isinstance(experiment, dict) else None
        where = (folder / _METRICS).relative_to(source.root).as_posix()
        yield Log(
            run=SourceRun(
                key=where,
                identity=identity_of("sacred", str(told.get("start_time", "")), points),
                is_certain=False,
                name=folder.name if folder != source.root else folder.absolute().name,
                source=where,
                experiment=str(name) if name else None,
                status=_STATUS.get(str(told.get("status", "COMPLETED")), "KILLED"),
                params=flat_settings(settings),
            ),
            points=points,
        )


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files of each run together."""
    return grouped_by(lambda path: path.parent, files)


def _points(name: str, series: Any, folder: Path, tally: Tally) -> pl.DataFrame:
    members = cast("dict[str, Any]", series) if isinstance(series, dict) else {}
    steps, values = members.get("steps"), members.get("values")
    if not isinstance(steps, list) or not isinstance(values, list):
        raise ImportingError(f"the metric {name[:80]!r} in {folder.name}/{_METRICS} lacks steps or values")
    places, cells = cast("list[Any]", steps), cast("list[Any]", values)
    if len(places) != len(cells):
        raise ImportingError(
            f"the metric {name[:80]!r} in {folder.name}/{_METRICS} has {len(places):,} steps and "
            f"{len(cells):,} values; is the file whole?"
        )
    tally.points(len(cells))
    whole = whole_steps(pl.Series([number(step) for step in places], dtype=pl.Float64), where=_METRICS)
    times: Any = members.get("timestamps")
    told = [str(time) for time in cast("list[Any]", times)] if isinstance(times, list) else []
    clock = times_of(pl.DataFrame({"timestamp": told})) if len(told) == len(cells) else None
    frame = pl.DataFrame(
        {
            "metric": tally.name(name),
            "step": whole.steps,
            "time_ms": clock,
            "value": [_value(cell) for cell in cells],
        },
        schema=LOG_SCHEMA,
    )
    return frame.drop_nulls("value")


def _value(cell: Any) -> float | None:
    """Return a number; numpy's are written as an object with its value by jsonpickle."""
    return number(cast("dict[str, Any]", cell).get("value") if isinstance(cell, dict) else cell)


def _optional(path: Path, tally: Tally) -> Mapping[str, Any]:
    """Return what a file beside the metrics says; one that is missing or broken costs nothing else."""
    if path.is_symlink():  # it may point anywhere
        return {}
    try:
        return object_in(path, tally)
    except (ImportingError, OSError):
        return {}


def _is_of_sacred(path: Path, head: bytes) -> bool:
    if path.name not in _BESIDE:
        return False
    if path.name != _METRICS:
        beside = path.with_name(_METRICS)
        if not beside.is_file() or beside.is_symlink():
            return False
        with beside.open("rb") as file:
            head = file.read(_HEAD)
    return _SERIES.match(head.lstrip()) is not None


FORMAT = LogFormat(
    kind=SourceKind.SACRED,
    shown="Sacred's runs (metrics.json)",
    recognises=_is_of_sacred,
    read=read,
    grouped=grouped,
)

"""CatBoost's ``catboost_info``: tables of errors, a JSON and event files that all tell of one training."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number, object_in, text_number
from grokscope.importing.readers.naming import CATBOOST_SPLITS
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, NotALogError, SourceRun, identity_of
from grokscope.importing.surroundings.folders import run_name

_JSON, _TIMES = "catboost_training.json", "time_left.tsv"
_ERRORS = re.compile(r"(?P<set>learn|test\d{0,4})_error\.tsv")
_TOLD_IN = (".tsv", ".json")
_PLACE = re.compile(r"[0-9]{1,18}")
_HEAD = b"iter\t"
_FOLDER = "catboost_info"
_SET_FOLDER = re.compile(r"(?:learn|test\d{0,4})")
_Values = dict[tuple[str, int], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the files of one training say.

    Attributes:
        values: Metric and iteration -> value.
        params: Settings.
    """

    values: _Values = field(default_factory=dict[tuple[str, int], float])
    params: Mapping[str, str] = field(default_factory=dict[str, str])


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each folder; its event files hold the same values in single precision.

    Raises:
        NotALogError: If it holds no metric.
    """
    for files in grouped(source.files):
        home, values, params = _home(files[0]), _Values(), dict[str, str]()
        for path in files:
            with tally.skipping(path):
                told = _told(path, tally)
                values = {**values, **told.values} if path.suffix == ".tsv" else {**told.values, **values}
                params.update(told.params)
        if not values:
            raise NotALogError("it holds no value of a metric of CatBoost's")
        tally.points(len(values))
        rows = [(tally.name(name), step, None, value) for (name, step), value in values.items()]
        points = pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")
        first = next((path for path in files if path.suffix in _TOLD_IN), files[0])
        where = first.relative_to(source.root).as_posix()
        named = home.parent if home.name == _FOLDER and home != source.root else home
        yield Log(
            run=SourceRun(
                key=where,
                identity=identity_of("catboost", "", points),
                is_certain=False,
                name=tally.name(run_name(named, source.root)),
                source=where,
                params=params,
            ),
            points=points,
        )


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files of each training together."""
    return grouped_by(_home, files)


def _home(path: Path) -> Path:
    return path.parent if path.suffix in _TOLD_IN else path.parent.parent


def _told(path: Path, tally: Tally) -> _Told:
    if path.name == _JSON:
        return _in_json(path, tally)
    if _ERRORS.fullmatch(path.name):
        return _Told(values=dict(_in_table(path, tally)))
    return _Told()


def _in_table(path: Path, tally: Tally) -> Iterator[tuple[tuple[str, int], float]]:
    match = _ERRORS.fullmatch(path.name)
    of_set = _set(match["set"] if match else "")
    with path.open(encoding="utf-8", errors="replace") as file:
        _, *metrics = file.readline(tally.limits.record_bytes).rstrip("\n").split("\t")
        tally.metrics(len(metrics))
        while line := file.readline(tally.limits.record_bytes):
            place, *cells = line.rstrip("\n").split("\t")
            if _PLACE.fullmatch(place) is None:
                continue
            for metric, cell in zip(metrics, cells, strict=False):
                if (value := text_number(cell)) is not None:
                    yield (f"{of_set}/{metric}", int(place)), value


def _in_json(path: Path, tally: Tally) -> _Told:
    content = object_in(path, tally)
    meta, iterations = content.get("meta"), content.get("iterations")
    if not isinstance(meta, dict) or not isinstance(iterations, list):
        raise ImportingError(
            f"{path.name!r} has no meta and iterations, as CatBoost writes them; is it whole?"
        )
    parts = cast("dict[str, Any]", meta)
    metrics = {"learn": _names(parts.get("learn_metrics"))}
    sets = parts.get("test_sets")
    for one in cast("list[Any]", sets) if isinstance(sets, list) else ():
        metrics[str(one)] = _names(parts.get("test_metrics"))
    values = _Values()
    for item in cast("list[Any]", iterations):
        row = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        step, passed = row.get("iteration"), number(row.get("passed_time"))
        if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 2**63:
            continue
        if passed is not None:
            values["passed_time", step] = passed
        for one, names in metrics.items():
            cells: Any = row.get(one)
            listed = cast("list[Any]", cells) if isinstance(cells, list) else []
            for name, cell in zip(names, listed, strict=False):
                if (value := number(cell)) is not None:
                    values[f"{_set(one)}/{name}", step] = value
    count = parts.get("iteration_count")
    return _Told(values=values, params={"iterations": str(count)} if isinstance(count, int) else {})


def _names(metrics: Any) -> list[str]:
    items = cast("list[Any]", metrics) if isinstance(metrics, list) else []
    return [str(cast("dict[str, Any]", item).get("name")) if isinstance(item, dict) else "" for item in items]


def _set(name: str) -> str:
    return CATBOOST_SPLITS.get(name, name)


def _is_of_catboost(path: Path, head: bytes) -> bool:
    if path.name == _JSON:
        return b'"meta"' in head
    if _ERRORS.fullmatch(path.name) or path.name == _TIMES:
        return head.startswith(_HEAD) and _is_home(path.parent)
    return (
        "tfevents" in path.name
        and _SET_FOLDER.fullmatch(path.parent.name) is not None
        and _is_home(_home(path))
    )


def _is_home(folder: Path) -> bool:
    return (folder / _JSON).is_file() or (folder / _TIMES).is_file()


FORMAT = LogFormat(
    kind=SourceKind.CATBOOST,
    shown="CatBoost's catboost_info",
    recognises=_is_of_catboost,
    read=read,
    grouped=grouped,
)

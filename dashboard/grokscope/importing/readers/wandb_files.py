"""Offline W&B runs: ``.wandb`` files are records of wandb's own protocol in LevelDB's log format.

A file is a header of seven bytes, then blocks of 32 KiB; a record is one or several fragments, each with a
CRC-32, a length and a type (whole, first, middle, last). wandb no longer ships a reader in Python; the
records themselves are read with its protocol classes.
"""

import importlib
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, NotALogError, SourceRun, digest
from grokscope.importing.steps import counted_by
from grokscope.schemas.runs.settings import flat_settings
from grokscope.schemas.runs.step_unit import IN_THOUSANDTHS
from grokscope.schemas.tags import NOTE, WANDB_RUN_ID, WANDB_SUMMARY, WANDB_TAGS

_FRAGMENT = struct.Struct("<IHB")
_START, _BLOCK = 7, 32 * 1024
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_CLOCK, _STEP = "_timestamp", "_step"
_COUNTERS = ("train/global_step", "trainer/global_step", "global_step", "iter", "iteration", "step")
"""Metrics that count steps, if every call logs one; W&B's own step counts the calls."""
_MOST_SECONDS, _MOST_STEPS = 1e13, 2.0**63
_MOST_SUMMARY, _SHOWN = 50, 500
_ENDED = "it has no exit record: how it ended is not known"


@dataclass(slots=True, kw_only=True)
class _Content:
    """What the records of one file say.

    Attributes:
        run: Its record of the run.
        config: Settings.
        summary: Last and best values.
        definitions: Of ``define_metric``: name or glob -> step.
        exit_code: As the program ended.
        calls: Of ``log`` that logged a number.
        unread: Records that make no sense.
        timeless: Calls of ``log`` whose clock is no time.
        rows: Metric, step, time in ms and value.
    """

    run: Any = None
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    summary: dict[str, Any] = field(default_factory=dict[str, Any])
    definitions: dict[str, str] = field(default_factory=dict[str, str])
    exit_code: int | None = None
    calls: int = 0
    unread: int = 0
    timeless: int = 0
    rows: list[tuple[str, int, int | None, float]] = field(
        default_factory=list[tuple[str, int, int | None, float]]
    )


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each file; what follows a damaged record is left out."""
    protocol: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")
    for path in source.files:
        content = _content(path, tally, protocol, kept=source.step)
        if content.run is None:
            raise ImportingError(f"{path.name!r} holds no readable run; it was cut off")
        if not content.rows:
            raise NotALogError(f"{path.name!r} is of a run that logged no number")
        yield _log(content, path.relative_to(source.root).as_posix(), source.step)


def _content(path: Path, tally: Tally, protocol: Any, *, kept: str | None) -> _Content:
    content = _Content()
    with path.open("rb") as file:
        for part in records(file, limit=tally.limits.record_bytes):
            record = protocol.Record()
            try:
                record.ParseFromString(part)
            except Exception:  # noqa: BLE001 - of protobuf, which is not ours to import; one record is lost
                content.unread += 1
                continue
            kind = record.WhichOneof("record_type")
            if kind == "run":
                content.run = record.run
                _update(content.config, record.run.config)
            elif kind == "config":
                _update(content.config, record.config)
            elif kind == "summary":
                _update(content.summary, record.summary)
            elif kind == "metric" and record.metric.step_metric:
                content.definitions[record.metric.name or record.metric.glob_name] = record.metric.step_metric
            elif kind == "history":
                _take(content, record.history, tally, kept=kept)
            elif kind == "exit":
                content.exit_code = record.exit.exit_code
    return content


def _log(content: _Content, where: str, step: str | None) -> Log:
    points = pl.DataFrame(content.rows, schema=LOG_SCHEMA, orient="row")
    counters = _counters(content, points, step)
    counted, notes = _counted(points, counters, where=where)
    in_thousandths = IN_THOUSANDTHS in notes
    notes = (*notes, *_told(content))
    return Log(
        run=replace(_run(content, where, points), notes=notes, in_thousandths=in_thousandths), points=counted
    )


def _told(content: _Content) -> Iterator[str]:
    """Yield what is to be said of records that are missing or make no sense."""
    if content.unread:
        yield f"{content.unread:,} of its records make no sense and are left out"
    if content.timeless:
        yield f"{content.timeless:,} of its calls of log have a time that is none, and get the file's"
    if content.exit_code is None:
        yield _ENDED


def _counters(content: _Content, points: pl.DataFrame, step: str | None) -> dict[str, str]:
    """Return metric -> the metric that counts its steps; empty where W&B's own step counts.

    One run has one axis, so a counter serves only if it, or another one, counts every metric.
    """
    names = points["metric"].unique().sort().to_list()
    if step is not None:
        return {} if step == _STEP else {name: step for name in names if name != step}
    steps = {name: _defined(name, content.definitions) for name in names}
    used = {counter for counter in steps.values() if counter in names}
    counters = {name: counter for name, counter in steps.items() if name not in used}
    if counters and all(counter in used for counter in counters.values()):
        return {name: str(counter) for name, counter in counters.items()}
    own = next((name for name in _COUNTERS if name in names and _counts(points, name, content.calls)), None)
    return {} if own is None else {name: own for name in names if name != own}


def _defined(name: str, definitions: Mapping[str, str]) -> str | None:
    if name in definitions:
        return definitions[name]
    globs = sorted((key for key in definitions if key.endswith("*")), key=len, reverse=True)
    found = next((key for key in globs if name.startswith(key[:-1])), None)
    return None if found is None else definitions[found]


def _counts(points: pl.DataFrame, name: str, calls: int) -> bool:
    """Say whether a metric counts steps: logged by every call, whole, and never smaller than before."""
    values = points.filter(pl.col("metric") == name)["value"]
    return (
        len(values) == calls
        and bool((values.is_finite() & (values == values.round())).all())
        and values.is_sorted()
    )


def _counted(
    points: pl.DataFrame, counters: Mapping[str, str], *, where: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    if not counters:
        return points, ()
    parts: list[pl.DataFrame] = []
    notes: dict[str, None] = {}
    for counter in dict.fromkeys(counters.values()):
        of_counter = [name for name, one in counters.items() if one == counter]
        part = points.filter(pl.col("metric").is_in([*of_counter, counter]))
        counted, in_thousandths = counted_by(part, counter, where=where)
        parts.append(counted)
        notes[f"steps are {counter}"] = None
        if in_thousandths:
            notes[IN_THOUSANDTHS] = None
        lost = part.height - counted.height - part.filter(pl.col("metric") == counter).height
        if lost:
            notes[f"{lost:,} points are left out, logged before {counter} was"] = None
    return pl.concat(parts), tuple(notes)


def _run(content: _Content, where: str, points: pl.DataFrame) -> SourceRun:
    run, config = content.run, content.config
    tags = {
        **_summary(content.summary, points),
        WANDB_TAGS: ", ".join(run.tags),
        WANDB_RUN_ID: run.run_id,
        NOTE: run.notes,
    }
    group = {"group": run.run_group} if run.run_group else {}
    return SourceRun(
        key=where,
        identity=digest("wandb", run.entity, run.project, run.run_id),
        is_certain=True,
        name=run.display_name or run.run_id,
        source=where,
        experiment=run.project or None,
        # Nobody follows an imported file: without an exit record, it ended all the same.
        status="FAILED" if content.exit_code else "FINISHED",
        params={**flat_settings({k: v for k, v in config.items() if not k.startswith("_")}), **group},
        tags={key: text for key, text in tags.items() if text},
    )


def _summary(summary: Mapping[str, Any], points: pl.DataFrame) -> dict[str, str]:
    """Return what a summary says beyond the last values of the curves, the best accuracy for instance."""
    curves = set(points["metric"].unique())
    own = {name: value for name, value in summary.items() if name not in curves and not name.startswith("_")}
    plain = {name: value for name, value in own.items() if isinstance(value, str | int | float)}
    return {f"{WANDB_SUMMARY}{name}": str(value)[:_SHOWN] for name, value in [*plain.items()][:_MOST_SUMMARY]}


def _update(config: dict[str, Any], record: Any) -> None:
    for item in record.update:
        # Nested keys are flat params here in any case: "model.width".
        config[".".join(item.nested_key) or item.key] = _value(item.value_json)


def _take(content: _Content, history: Any, tally: Tally, *, kept: str | None) -> None:
    values = {".".join(item.nested_key) or item.key: _value(item.value_json) for item in history.item}
    clock, step = number(values.get(_CLOCK)), number(values.get(_STEP, history.step.num)) or 0.0
    time_ms = int(clock * 1000) if clock is not None and abs(clock) < _MOST_SECONDS else None
    content.timeless += clock is not None and time_ms is None
    if not abs(step) < _MOST_STEPS:
        content.unread += 1
        return
    found = [(name, value) for name, text in values.items() if (value := number(text)) is not None]
    taken = [(tally.name(name), value) for name, value in found if name == kept or not name.startswith("_")]
    tally.points(len(taken))
    content.calls += bool(taken)
    content.rows.extend((name, int(step), time_ms, value) for name, value in taken)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def records(file: BinaryIO, *, limit: int) -> Iterator[bytes]:
    """Yield the whole records of a file up to its end or the first damage.

    Raises:
        ImportingError: If a record has more than ``limit`` bytes.
    """
    file.seek(_START)
    parts: list[bytes] = []
    size = 0
    while True:
        left = _BLOCK - file.tell() % _BLOCK
        if left < _FRAGMENT.size:
            file.seek(left, 1)
            continue
        head = file.read(_FRAGMENT.size)
        if len(head) < _FRAGMENT.size:
            return
        checksum, length, kind = _FRAGMENT.unpack(head)
        content = file.read(length)
        if len(content) < length or zlib.crc32(content, zlib.crc32(bytes([kind]))) != checksum:
            return
        if kind in (_WHOLE, _FIRST):
            parts, size = [], 0
        parts.append(content)
        size += _FRAGMENT.size + length  # fragments may be empty, and as many as the file has room for
        if size > limit:
            raise ImportingError(f"a record of more than {limit:,} bytes; that is no log of scalars")
        if kind in (_WHOLE, _LAST):
            yield b"".join(parts)


FORMAT = LogFormat(
    kind=SourceKind.WANDB,
    shown="W&B (.wandb, or its CSV and JSON exports)",
    recognises=lambda path, head: head.startswith(b":W&B") or path.suffix == ".wandb",
    read=read,
    takes_step=True,
    needs="wandb",
)

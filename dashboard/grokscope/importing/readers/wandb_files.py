"""Offline W&B runs: ``.wandb`` files are records of wandb's own protocol in LevelDB's log format.

A file is a header of seven bytes, then blocks of 32 KiB; a record is one or several fragments, each with a
CRC-32, a length and a type (whole, first, middle, last). wandb no longer ships a reader in Python; the
records themselves are read with its protocol classes.
"""

import importlib
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, digest
from grokscope.schemas.runs.settings import flat_settings
from grokscope.schemas.tags import NOTE, WANDB_RUN_ID, WANDB_TAGS

_FRAGMENT = struct.Struct("<IHB")
_START, _BLOCK = 7, 32 * 1024
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_CLOCK, _STEP = "_timestamp", "_step"
_Rows = list[tuple[str, int, int | None, float]]


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each file; what follows a damaged record is left out."""
    protocol: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")
    for path in source.files:
        yield _log(path, source.root, tally, protocol)


def _log(path: Path, root: Path, tally: Tally, protocol: Any) -> Log:
    rows: _Rows = []
    run: Any = None
    config: dict[str, Any] = {}
    status = "RUNNING"
    with path.open("rb") as file:
        for content in records(file, limit=tally.limits.record_bytes):
            record = protocol.Record.FromString(content)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run = record.run
                _update(config, run.config)
            elif kind == "config":
                _update(config, record.config)
            elif kind == "history":
                _take(rows, record.history, tally)
            elif kind == "exit":
                status = "FAILED" if record.exit.exit_code else "FINISHED"
    if run is None:
        raise ImportingError(f"{path.name!r} holds no readable run; it was cut off before its first record")
    where = path.relative_to(root).as_posix()
    points = pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")
    return Log(run=_run(run, config, where=where, status=status), points=points)


def _run(run: Any, config: dict[str, Any], *, where: str, status: str) -> SourceRun:
    tags = {WANDB_TAGS: ", ".join(run.tags), WANDB_RUN_ID: run.run_id, NOTE: run.notes}
    group = {"group": run.run_group} if run.run_group else {}
    return SourceRun(
        key=where,
        identity=digest("wandb", run.entity, run.project, run.run_id),
        is_certain=True,
        name=run.display_name or run.run_id,
        source=where,
        experiment=run.project or None,
        status=status,
        params={**flat_settings({k: v for k, v in config.items() if not k.startswith("_")}), **group},
        tags={key: text for key, text in tags.items() if text},
    )


def _update(config: dict[str, Any], record: Any) -> None:
    for item in record.update:
        # Nested keys are flat params here in any case: "model.width".
        config[".".join(item.nested_key) or item.key] = _value(item.value_json)


def _take(rows: _Rows, history: Any, tally: Tally) -> None:
    values = {".".join(item.nested_key) or item.key: _value(item.value_json) for item in history.item}
    clock, step = number(values.get(_CLOCK)), values.get(_STEP, history.step.num)
    time_ms = None if clock is None else int(clock * 1000)
    found = [(name, value) for name, text in values.items() if (value := number(text)) is not None]
    kept = [(tally.name(name), value) for name, value in found if not name.startswith("_")]
    tally.points(len(kept))
    rows.extend((name, int(step), time_ms, value) for name, value in kept)


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
    recognises=lambda _path, head: head.startswith(b":W&B"),
    read=read,
    needs="wandb",
)

"""TensorBoard event files, by TensorBoard's own reader: one run a folder."""

import importlib
import math
import re
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.records import LOG_SCHEMA, Log, SourceRun, digest
from grokscope.schemas.runs.settings import flat_settings

_HPARAMS_FOLDER = re.compile(r"\d{9,}\.\d+")
_SESSION = "_hparams_/session_start_info"
_CHUNK = 100_000
# By the number that TensorFlow gives a type, and the bytes of one value of it.
_LAYOUTS = MappingProxyType({(1, 4): "<f", (2, 8): "<d", (3, 4): "<i", (9, 8): "<q"})
_LAST_MS = 2**53


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the runs; a folder that ``add_hparams`` made beside a run belongs to that run."""
    for folder, files in _runs(source.files).items():
        parts: list[pl.DataFrame] = []
        params: dict[str, str] = {}
        for path in files:
            parts.extend(_points(path, tally, params))
        name = folder.relative_to(source.root).as_posix()
        named = source.root.resolve().name if name == "." else name
        run = SourceRun(
            key=name,
            identity=_identity(files[0]),
            is_certain=True,
            name=tally.name(named),
            source=name,
            params=params,
        )
        yield Log(run=run, points=pl.concat([LOG_SCHEMA.to_frame(), *parts]))


def _runs(files: Sequence[Path]) -> Mapping[Path, list[Path]]:
    folders = {path.parent for path in files}
    runs: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in sorted(files, key=lambda path: (path.parent, path.name)):
        folder = path.parent
        belongs = _HPARAMS_FOLDER.fullmatch(folder.name) is not None and folder.parent in folders
        runs[folder.parent if belongs else folder].append(path)
    return runs


def _identity(path: Path) -> str:
    # The first record holds the writer's clock, in microseconds; the name its time, host and process.
    with path.open("rb") as file:
        return digest("tensorboard", path.name, file.read(64).hex())


def _points(path: Path, tally: Tally, params: dict[str, str]) -> Iterator[pl.DataFrame]:
    loader: Any = importlib.import_module("tensorboard.backend.event_processing.event_file_loader")
    kinds: dict[str, str] = {}
    rows: list[tuple[str, int, int | None, float]] = []
    for event in loader.LegacyEventFileLoader(str(path)).Load():
        for item in event.summary.value:
            if item.tag == _SESSION:
                params.update(_hparams(item))
            elif (value := _scalar(item, kinds)) is not None:
                rows.append((tally.name(item.tag), event.step, _time(event.wall_time), value))
        tally.metrics(len(kinds))
        if len(rows) >= _CHUNK:
            tally.points(len(rows))
            yield pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")
            rows = []
    tally.points(len(rows))
    yield pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")


def _scalar(item: Any, kinds: dict[str, str]) -> float | None:
    # Only the first value of a tag says of which plug-in it is.
    kind = kinds.setdefault(item.tag, item.metadata.plugin_data.plugin_name)
    if item.HasField("simple_value"):
        return float(item.simple_value)
    if kind != "scalars" or not item.HasField("tensor"):
        return None
    tensor = item.tensor
    held = [*tensor.float_val, *tensor.double_val, *tensor.int_val, *tensor.int64_val]
    if len(held) == 1:
        return float(held[0])
    layout = _LAYOUTS.get((tensor.dtype, len(tensor.tensor_content)))
    return None if layout is None else float(struct.unpack(layout, tensor.tensor_content)[0])


def _hparams(item: Any) -> dict[str, str]:
    plugin: Any = importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
    data = plugin.HParamsPluginData.FromString(item.metadata.plugin_data.content)
    values = data.session_start_info.hparams
    settings = {
        key: _text(getattr(value, value.WhichOneof("kind") or "string_value"))
        for key, value in values.items()
    }
    return flat_settings(settings)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _time(wall_time: float) -> int | None:
    ms = wall_time * 1000
    return int(ms) if math.isfinite(ms) and 0 < ms < _LAST_MS else None


FORMAT = LogFormat(
    kind=SourceKind.TENSORBOARD,
    shown="TensorBoard event files",
    recognises=lambda path, _head: "tfevents" in path.name,
    read=read,
    needs="tensorboard",
)

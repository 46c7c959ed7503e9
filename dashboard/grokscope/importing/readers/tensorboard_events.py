"""TensorBoard event files, by TensorBoard's own reader: a run a folder, with those that belong to it."""

import importlib
import math
import re
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.naming import SPLITS
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, digest
from grokscope.importing.surroundings.folders import run_name
from grokscope.schemas.runs.settings import flat_settings

_HPARAMS_FOLDER = re.compile(r"\d{9,}\.\d+")
_SESSION = "_hparams_/session_start_info"
_START = 1
_CHUNK = 100_000
# By the number that TensorFlow gives a type, and the bytes of one value of it.
_LAYOUTS = MappingProxyType({(1, 4): "<f", (2, 8): "<d", (3, 4): "<i", (9, 8): "<q"})
_LAST_MS = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What lies in one folder; ``files`` are those that could be read."""

    files: Sequence[Path]
    points: pl.DataFrame
    params: Mapping[str, str]
    replaced: int


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the runs of folders that lie in one another.

    A run's folder holds folders of its own: ``add_hparams`` makes one for its settings, ``add_scalars`` one a
    curve, Keras one a split (``train``, ``validation``). What else lies below it is a run of its own.
    """
    parts: dict[Path, _Part] = {}
    for folder, files in _by_folder(source.files).items():
        parts[folder] = _part(files, tally)
    runs: defaultdict[Path, list[tuple[_Part, pl.DataFrame]]] = defaultdict(list)
    folders = parts.keys()
    for folder, part in parts.items():
        owner, points = _owned(folder, part, folders)
        runs[owner].append((part, points))
    for folder, of_run in runs.items():
        if any(part.files for part, _ in of_run):
            yield _log(folder, of_run, source.root, tally)


def _log(folder: Path, of_run: Sequence[tuple[_Part, pl.DataFrame]], root: Path, tally: Tally) -> Log:
    files = [path for part, _ in of_run for path in part.files]
    replaced = sum(part.replaced for part, _ in of_run)
    resumed = f"{replaced:,} points are left out, since a later file begins again before them"
    run = SourceRun(
        key=folder.relative_to(root).as_posix(),
        # The names begin with the time.
        identity=_identity(min(files, key=lambda path: path.name)),
        is_certain=True,
        name=tally.name(run_name(folder, root)),
        source=folder.relative_to(root).as_posix(),
        params={name: text for part, _ in of_run for name, text in part.params.items()},
        notes=(resumed,) if replaced else (),
    )
    points = pl.concat([LOG_SCHEMA.to_frame(), *(points for _, points in of_run)])
    if points.is_empty():
        raise ImportingError(
            f"{run.name!r} has event files without a readable scalar (damaged, or only graphs and settings)"
        )
    return Log(run=run, points=points)


def _identity(path: Path) -> str:
    # The first record holds the writer's clock, in microseconds; the name its time, host and process.
    with path.open("rb") as file:
        return digest("tensorboard", path.name, file.read(64).hex())


def _by_folder(files: Sequence[Path]) -> Mapping[Path, list[Path]]:
    folders: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in sorted(files, key=lambda path: (path.parent, path.name)):
        folders[path.parent].append(path)
    return folders


def _grouped(files: Sequence[Path]) -> list[list[Path]]:
    """Return files whose folders lie in one another, or are the splits of one run, side by side."""
    folders = _by_folder(files)
    groups: defaultdict[Path, list[Path]] = defaultdict(list)
    for folder, of_folder in folders.items():
        top = folder
        while top.parent in folders or _is_split(top, folders.keys()):
            top = top.parent
        groups[top].extend(of_folder)
    return list(groups.values())


def _is_split(folder: Path, folders: AbstractSet[Path]) -> bool:
    """Say whether a folder holds one split of the run that its parent is."""
    if folder.name.lower() not in SPLITS:
        return False
    if folder.parent in folders:
        return True
    # One alone may be a run that somebody called test.
    beside = (folder.parent / name for split in SPLITS for name in (split, split.capitalize()))
    return any(other != folder and other in folders for other in beside)


def _owned(folder: Path, part: _Part, folders: AbstractSet[Path]) -> tuple[Path, pl.DataFrame]:
    """Return the folder of the run that a folder belongs to, and its points by the names they have there."""
    if _is_split(folder, folders):
        return folder.parent, part.points.with_columns(metric=pl.lit(f"{folder.name}/") + pl.col("metric"))
    if folder.parent not in folders:
        return folder, part.points
    if _HPARAMS_FOLDER.fullmatch(folder.name) is not None:
        return folder.parent, part.points
    # add_scalars("a/b", {"c": …}) writes the tag a/b into the folder a_b_c.
    tags = part.points["metric"].unique().to_list()
    if len(tags) == 1 and folder.name.startswith(begin := f"{tags[0].replace('/', '_')}_"):
        name = f"{tags[0]}/{folder.name.removeprefix(begin)}"
        return folder.parent, part.points.with_columns(pl.lit(name).alias("metric"))
    return folder, part.points


def _part(files: Sequence[Path], tally: Tally) -> _Part:
    """Return what the files of a folder hold: where a later one begins again, it wins, as in TensorBoard."""
    params: dict[str, str] = {}
    read_: list[tuple[Path, pl.DataFrame, int | None]] = []
    for path in files:
        with tally.skipping(path):
            events = _Events(path, tally)
            frames = list(events.frames(params))
            read_.append((path, pl.concat(frames), events.restart))
    kept: list[pl.DataFrame] = []
    begins: dict[str, int] = {}
    restart: int | None = None
    for _, frame, start in reversed(read_):
        cut = pl.col("metric").replace_strict(begins, default=None, return_dtype=pl.Int64)
        again = pl.min_horizontal(cut, pl.lit(restart, dtype=pl.Int64))
        kept.append(frame.filter(~(pl.col("step") >= again).fill_null(value=False)))
        for metric, first in frame.group_by("metric").agg(pl.col("step").min()).iter_rows():
            begins[metric] = min(first, begins.get(metric, first))
        if start is not None:
            restart = start if restart is None else min(start, restart)
    points = pl.concat([LOG_SCHEMA.to_frame(), *reversed(kept)])
    total = sum(frame.height for _, frame, _ in read_)
    return _Part(
        files=[path for path, _, _ in read_], points=points, params=params, replaced=total - points.height
    )


class _Events:
    """The scalars of one file; ``restart`` is the step from which a resumed training says it goes on."""

    def __init__(self, path: Path, tally: Tally) -> None:
        self.restart: int | None = None
        self._path = path
        self._tally = tally

    def frames(self, params: dict[str, str]) -> Iterator[pl.DataFrame]:
        loader: Any = importlib.import_module("tensorboard.backend.event_processing.event_file_loader")
        kinds: dict[str, str] = {}
        rows: list[tuple[str, int, int | None, float]] = []
        for event in loader.LegacyEventFileLoader(str(self._path)).Load():
            if event.HasField("session_log") and event.session_log.status == _START:
                self.restart = event.step
            for item in event.summary.value:
                if item.tag == _SESSION:
                    params.update(_hparams(item))
                elif (value := _scalar(item, kinds)) is not None:
                    rows.append((self._tally.name(item.tag), event.step, _time(event.wall_time), value))
            self._tally.metrics(len(kinds))
            if len(rows) >= _CHUNK:
                yield self._frame(rows)
                rows = []
        yield self._frame(rows)

    def _frame(self, rows: list[tuple[str, int, int | None, float]]) -> pl.DataFrame:
        self._tally.points(len(rows))
        return pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")


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
    grouped=_grouped,
    needs="tensorboard",
)

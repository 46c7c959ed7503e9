"""Tables as runs: one a file or a value of its column of runs; series with a file each are put together."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.naming import CATBOOST_SPLITS, is_usual, named_by
from grokscope.importing.readers.tables.clocks import is_clock, plain_name
from grokscope.importing.readers.tables.files import READERS, are_scores, read_table
from grokscope.importing.readers.tables.separated import is_separated
from grokscope.importing.readers.tables.shapes import VALUES, Curves, curves_of
from grokscope.importing.readers.tables.table import listed
from grokscope.importing.readers.tables.times import TIMES
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, identity_of
from grokscope.importing.steps import FALL_BACK, whole_steps
from grokscope.importing.surroundings.settings_files import is_settings
from grokscope.schemas.metrics.reading import read_alone

_PACKED: Mapping[bytes, str] = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
_NAMES = ("name", "experiment")
_TAGGED = re.compile(r"run[-_](?P<run>.+?)[-_]tag[-_](?P<tag>.+)")
_WORDS = "train|training|learn|val|valid|validation|dev|test|eval"
_SPLIT = re.compile(
    rf"(?P<first>{_WORDS})(?:[-_ ](?P<behind>.+))?|(?P<before>.+)[-_ ](?P<last>{_WORDS})", re.IGNORECASE
)
_HEAD = 4096
_TWICE = re.compile(r"\d{8}_\d{6}\.json")
"""MMEngine's copy of its ``scalars.json``."""
_TEXTS = frozenset({"", ".txt", ".dat", ".data", ".asc", ".log", ".out"})
"""Endings of names that tables and other texts share."""


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the runs of each table; without a run column, a table is one run named like its file.

    Tables of one series each, as TensorBoard and Neptune give them, are one run a folder, or one a run that
    their names tell; their metrics are named by the files. So are tables called ``train`` and ``val``.
    """
    parts: dict[tuple[Path, str], list[tuple[Path, Curves]]] = {}
    splits = _split_tables(source.files)
    for path, curves in _tables(source, tally):
        if curves.is_nameless:
            run, metric = _told_by(path, source.files)
            named = replace(curves, points=curves.points.with_columns(pl.lit(metric).alias("metric")))
            parts.setdefault((path.parent, run), []).append((path, named))
        elif path in splits and not _names_splits(curves):
            split, run = splits[path]
            is_counted = pl.col("metric").is_in(curves.counted)
            metric = pl.when(is_counted).then("metric").otherwise(pl.lit(f"{split}/") + pl.col("metric"))
            named = replace(curves, points=curves.points.with_columns(metric.alias("metric")))
            parts.setdefault((path.parent, run), []).append((path, named))
        else:
            yield from _runs(path, source.root, curves, tally)
    for (folder, run), found in parts.items():
        path = found[0][0]
        points = pl.concat((curves.points for _, curves in found), how="vertical_relaxed")
        notes = dict.fromkeys(note for _, curves in found for note in curves.notes)
        name = run or (folder.name if len(found) > 1 else named_by(path, source.root))
        counted = frozenset[str]().union(*(curves.counted for _, curves in found))
        whole = Curves(points=points, notes=tuple(notes), counted=counted)
        yield from _runs(path, source.root, whole, tally, name=name)


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return each table alone, but tables of one series, or of one split, with those of their folder."""
    splits = _split_tables(files)
    return grouped_by(lambda path: path.parent if path in splits or _is_series(path) else path, files)


def _split_tables(files: Sequence[Path]) -> dict[Path, tuple[str, str]]:
    """Return the tables that hold one split each of a run in their folder, with the split and the run.

    The run has no name where the files tell nothing but what they hold: ``train.csv``, ``val_loss.csv``.
    """
    named = {path: told for path in files if (told := _split_in(path.stem)) is not None}
    runs = Counter((path.parent, rest) for path, (_, rest) in named.items())
    return {
        path: (split, "" if is_usual(rest) or read_alone(rest).score is not None else rest)
        for path, (split, rest) in named.items()
        if runs[path.parent, rest] > 1
    }


def _names_splits(curves: Curves) -> bool:
    """Say whether a table names several splits itself, so that its file's name is that of a run."""
    read = map(read_alone, curves.points["metric"].unique())
    return len({one.split for one in read if one.is_followed and one.split is not None}) > 1


def _split_in(name: str) -> tuple[str, str] | None:
    """Return the split that a name begins or ends with, and what else it says.

    >>> _split_in("train"), _split_in("seed0_val"), _split_in("learn_error"), _split_in("trainer")
    (('train', ''), ('val', 'seed0'), ('train', 'error'), None)
    """
    found = _SPLIT.fullmatch(name)
    if found is None:
        return None
    split = (found["first"] or found["last"]).lower()
    return CATBOOST_SPLITS.get(split, split), found["behind"] or found["before"] or ""


def _is_series(path: Path) -> bool:
    if path.suffix.lower() not in (".csv", ".tsv"):
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        names = [plain_name(name) for name in re.split(r"[,;\t]", file.readline(_HEAD))]
    rest = [name for name in names if not is_clock(name) and name not in TIMES]
    return len(names) > 1 and len(rest) == 1 and rest[0] in VALUES


def _told_by(path: Path, files: Sequence[Path]) -> tuple[str, str]:
    """Return the run, if the name of the file tells it, and the metric; Keras has a run a split."""
    tagged = _TAGGED.fullmatch(path.stem)
    if tagged is None:
        return "", path.stem
    runs = {found["run"] for other in files if (found := _TAGGED.fullmatch(other.stem))}
    told = _split_in(tagged["run"])
    beside = [one for run in runs if (one := _split_in(run)) is not None and told and one[1] == told[1]]
    if told is None or len(beside) < 2:  # noqa: PLR2004 - a run that is called test is one
        return tagged["run"], tagged["tag"]
    return told[1], f"{told[0]}/{tagged['tag']}"


def _tables(source: LogSource, tally: Tally) -> Iterator[tuple[Path, Curves]]:
    """Yield the curves of each table; one of several that cannot be read costs itself only."""
    if len(source.files) == 1:
        yield source.files[0], _curves(source.files[0], tally, source.step)
        return
    found: list[tuple[Path, Curves]] = []
    for path in source.files:
        with tally.skipping(path):
            found.append((path, _curves(path, tally, source.step)))
    yield from found


def _curves(path: Path, tally: Tally, step: str | None) -> Curves:
    try:
        return curves_of(read_table(path, tally), tally, asked=step)
    except ImportingError as error:
        said = str(error)
        named = said if path.name in said else f"{path.name!r}: {said}"
        raise type(error)(named) from error


def _runs(path: Path, root: Path, curves: Curves, tally: Tally, *, name: str = "") -> Iterator[Log]:
    """Yield the runs of a table; one that has no steps is left out, and said with the first of the others."""
    runs = curves.points.partition_by("run", maintain_order=True)
    tally.runs(len(runs))
    placed = [points for points in runs if points["step"].null_count() < points.height]
    if not placed:
        raise ImportingError(f"{path.name!r} has no row with both a step and a value")
    lacking = [str(points["run"][0]) for points in runs if points["step"].null_count() == points.height]
    notes = (f"left out, since their rows have no steps: {listed(lacking)}",) if lacking else ()
    for points in placed:
        yield _log(
            path, root, replace(curves, points=points, notes=(*curves.notes, *notes)), tally, name=name
        )
        notes = ()


def _log(path: Path, root: Path, curves: Curves, tally: Tally, *, name: str) -> Log:
    tally.points(curves.points.height)
    own, told, where = curves.points["run"][0], curves.told, path.relative_to(root).as_posix()
    names, experiment = (curves.points[column].drop_nulls() for column in _NAMES)
    points = curves.points.drop_nulls("step")
    lacking = curves.points.height - points.height
    left = (f"{lacking:,} of its {curves.points.height:,} points have no step and are left out",) * bool(
        lacking
    )
    whole = whole_steps(points["step"], where=path.name)
    points = points.with_columns(whole.steps.alias("step"))
    again = (FALL_BACK,) * _falls_back(points)
    for metric in points["metric"].unique():
        tally.name(metric)
    run = SourceRun(
        key=f"{where}#{own or ''}",
        # Not by what was spent: tables were imported before those columns were curves.
        identity=identity_of("table", own or name, points.filter(~pl.col("metric").is_in(curves.counted))),
        is_certain=False,
        name=tally.name(names[0] if len(names) else own or name or named_by(path, root)),
        source=where,
        experiment=experiment[0] if len(experiment) else None,
        status="FINISHED" if told is None else told.status.get(own or "", "FINISHED"),
        params={} if told is None else told.params.get(own or "", {}),
        tags={"run_id": own} if own and len(names) and names[0] != own else {},
        notes=(*curves.notes, *left, *again, *whole.notes),
        in_thousandths=whole.in_thousandths,
    )
    return Log(run=run, points=points.select(LOG_SCHEMA.names()))


def _falls_back(points: pl.DataFrame) -> bool:
    """Say whether a metric goes through steps again that it had, as of a training that was begun anew."""
    falling = points.filter((pl.col("step").diff() < 0).over("metric").fill_null(value=False))["metric"]
    some = points.filter(pl.col("metric").is_in(falling.unique().implode()))
    return bool(some.select("metric", "step").is_duplicated().any())


def _is_table(path: Path, head: bytes) -> bool:
    if is_settings(path.name) or (_TWICE.fullmatch(path.name) and path.with_name("scalars.json").is_file()):
        return False
    if path.suffix.lower() not in READERS:
        return path.suffix.lower() in _TEXTS and (is_separated(head) or are_scores(head))
    packed = next((name for sign, name in _PACKED.items() if head.startswith(sign)), None)
    if packed is not None:
        raise ImportingError(f"{path.name!r} is packed with {packed}; unpack it first")
    return True


FORMAT = LogFormat(
    kind=SourceKind.TABLE,
    shown="tables (.csv, .tsv, .parquet, .jsonl, .json, .dat or .txt with a header)",
    recognises=_is_table,
    read=read,
    grouped=grouped,
    takes_step=True,
)

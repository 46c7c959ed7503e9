"""DVCLive's folders: a table a metric under ``plots/metrics``, named by where it lies."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import yaml

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.tables.files import read_table
from grokscope.importing.readers.tables.shapes import curves_of
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, NotALogError, SourceRun, identity_of
from grokscope.importing.steps import whole_steps
from grokscope.importing.surroundings.settings_files import settings_in

_PLACES = (("plots", "metrics"), ("scalars",), ("plots", "scalars"))
_BESIDE = frozenset({"metrics.json", "params.yaml", "report.md", "dvc.yaml"})
_USUAL = "dvclive"


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each folder.

    Raises:
        NotALogError: If it holds the last values only.
    """
    for files in grouped(source.files):
        folder, tables = _home(files[0]), [path for path in files if path.suffix == ".tsv"]
        if folder is None:
            continue
        if not tables:
            raise NotALogError("it holds the last values only; the curves are in plots/metrics")
        frames: list[pl.DataFrame] = []
        for path in tables:
            with tally.skipping(path):
                frames.append(_points(path, folder, tally))
        if not frames:
            continue
        points = pl.concat(frames, how="vertical_relaxed")
        whole = whole_steps(points["step"], where=folder.name)
        points = points.with_columns(whole.steps.alias("step"))
        where = tables[0].relative_to(source.root).as_posix()
        yield Log(
            run=SourceRun(
                key=where,
                identity=identity_of("dvclive", "", points),
                is_certain=False,
                name=_name(folder, source.root),
                source=where,
                params=_params(folder / "params.yaml"),
                notes=whole.notes,
                in_thousandths=whole.in_thousandths,
            ),
            points=points.select(LOG_SCHEMA.names()),
        )


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files of each run together."""
    return grouped_by(_home, files)


def _points(path: Path, folder: Path, tally: Tally) -> pl.DataFrame:
    place = next(parts for parts in _PLACES if folder.joinpath(*parts) in path.parents)
    metric = tally.name(path.relative_to(folder.joinpath(*place)).with_suffix("").as_posix())
    points = curves_of(read_table(path, tally), tally).points
    if points["metric"].n_unique() > 1:
        raise ImportingError(f"{path.name!r} holds several columns of numbers; DVCLive writes one a file")
    tally.points(points.height)
    return points.drop_nulls("step").with_columns(pl.lit(metric).alias("metric"))


def _home(path: Path) -> Path | None:
    """Return DVCLive's folder that a file belongs to."""
    if path.suffix == ".tsv":
        for folder in path.parents[:12]:
            if any(folder.joinpath(*parts) in path.parents for parts in _PLACES):
                return folder
        return None
    return path.parent if path.name in _BESIDE else None


def _name(folder: Path, root: Path) -> str:
    run = folder.parent if folder.name == _USUAL else folder
    is_below = run != root and root in run.parents
    return run.relative_to(root).as_posix() if is_below else run.absolute().name


def _params(path: Path) -> Mapping[str, str]:
    """Return the settings beside the metrics; those that cannot be read cost nothing else."""
    try:
        return settings_in(path)
    except (yaml.YAMLError, OSError, ValueError, TypeError, RecursionError):
        return {}


def _is_of_dvclive(path: Path, head: bytes) -> bool:
    folder = _home(path)
    if folder is None:
        return False
    if path.suffix == ".tsv":
        return b"step" in head.partition(b"\n")[0]
    return any(folder.joinpath(*parts).is_dir() for parts in _PLACES)


FORMAT = LogFormat(
    kind=SourceKind.DVCLIVE,
    shown="DVCLive's folders",
    recognises=_is_of_dvclive,
    read=read,
    grouped=grouped,
)

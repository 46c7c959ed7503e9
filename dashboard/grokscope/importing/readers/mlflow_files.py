"""MLflow's file store: a folder a run, a file a metric, param and tag. MLflow itself opens none any more."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import yaml

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import MIB, Tally
from grokscope.importing.readers.json_values import number, text_number
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, NotALogError, SourceRun
from grokscope.importing.steps import whole_steps
from grokscope.importing.surroundings.settings_files import settings_in
from grokscope.schemas.tags import RUN_NAME

META = "meta.yaml"
_STATUS = {"3": "FINISHED", "4": "FAILED", "5": "KILLED", "FINISHED": "FINISHED", "FAILED": "FAILED"}
_OWN = "mlflow."
_FIELDS = 3


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each folder.

    Raises:
        NotALogError: If the files are of no run, but of an experiment or a model.
    """
    for files in grouped(source.files):
        folder = _home(files[0])
        meta = _meta(folder / META) if folder is not None else {}
        run_id = meta.get("run_id") or meta.get("run_uuid")
        if folder is None or run_id is None:
            raise NotALogError("it describes an experiment or a model of MLflow's, no run")
        if meta.get("lifecycle_stage") == "deleted":
            raise NotALogError(f"the run {run_id} is deleted")
        yield _log(folder, files, meta, source.root, tally)


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files of each run together."""
    return grouped_by(_home, files)


def _log(folder: Path, files: Sequence[Path], meta: Mapping[str, str], root: Path, tally: Tally) -> Log:
    run_id = meta.get("run_id") or meta["run_uuid"]
    frames: list[pl.DataFrame] = []
    for path in files:
        if folder / "metrics" in path.parents:
            with tally.skipping(path):
                frames.append(_points(path, folder, tally))
    params, tags = (_texts(folder / name, files) for name in ("params", "tags"))
    run = SourceRun(
        key=folder.relative_to(root).as_posix(),
        identity=run_id,
        is_certain=True,
        name=tally.name(tags.get(RUN_NAME) or meta.get("run_name") or run_id),
        source=folder.relative_to(root).as_posix(),
        experiment=_meta(folder.parent / META).get("name"),
        status=_STATUS.get(meta.get("status", ""), "KILLED"),
        params=params,
        tags={name: text for name, text in tags.items() if not name.startswith(_OWN)},
    )
    points = pl.concat([LOG_SCHEMA.to_frame(), *frames])
    return Log(run=run, points=points)


def _points(path: Path, folder: Path, tally: Tally) -> pl.DataFrame:
    """Return the points of a metric's file: a line of time, value and step each."""
    metric = tally.name(path.relative_to(folder / "metrics").as_posix())
    rows: list[tuple[str, float, int | None, float]] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        while line := file.readline(MIB):
            fields = line.split()
            if len(fields) < _FIELDS - 1:
                continue
            value, step = text_number(fields[1]), text_number(fields[2] if len(fields) >= _FIELDS else "0")
            if value is None or step is None:
                raise ImportingError(
                    f"{path.name!r} has the line {line[:60]!r}; a time, a value and a step go there"
                )
            time = number(int(fields[0])) if fields[0].lstrip("-").isdigit() else None
            rows.append((metric, step, None if time is None else int(time), value))
    tally.points(len(rows))
    frame = pl.DataFrame(rows, schema={**LOG_SCHEMA, "step": pl.Float64()}, orient="row")
    return frame.with_columns(whole_steps(frame["step"], where=path.name).steps.alias("step"))


def _texts(folder: Path, files: Sequence[Path]) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _text(path) for path in files if folder in path.parents}


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MIB)


def _home(path: Path) -> Path | None:
    """Return the folder of a run that a file lies in, or of what else MLflow describes."""
    return next((folder for folder in path.parents[:12] if (folder / META).is_file()), None)


def _meta(path: Path) -> dict[str, str]:
    """Return what a description says.

    Raises:
        ImportingError: If it cannot be read.
    """
    try:
        return settings_in(path)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ImportingError(f"{path.name!r} of {path.parent.name!r} is not readable YAML") from error


def _is_of_mlflow(path: Path, head: bytes) -> bool:
    if path.name == META:
        return any(word in head for word in (b"artifact_location:", b"artifact_uri:", b"model_id:"))
    folder = _home(path)
    if folder is None:
        return False
    with (folder / META).open("rb") as file:
        return b"artifact_" in file.read(4096)


FORMAT = LogFormat(
    kind=SourceKind.MLFLOW,
    shown="MLflow's file stores (mlruns/)",
    recognises=_is_of_mlflow,
    read=read,
    grouped=grouped,
    may_be_empty=True,
)

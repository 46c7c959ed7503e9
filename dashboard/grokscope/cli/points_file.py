"""Points from a file: Parquet, CSV or JSON lines with the columns run (optional), step, metric, value."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from grokscope.schemas import GrokscopeError, UsablePoints, usable_points
from grokscope.schemas.secrets import redacted_source
from grokscope.store.formulas import unguarded


class PointsFileError(GrokscopeError):
    """A file that cannot be read as points."""


_WHOLE = None
"""Types are inferred from the whole file: an accuracy may be 0 for its first thousand rows."""


def _read_parquet(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, glob=False)


def _read_csv(path: Path) -> pl.DataFrame:
    return unguarded(pl.read_csv(path, infer_schema_length=_WHOLE, glob=False))


def _read_lines(path: Path) -> pl.DataFrame:
    """Read JSON lines; with NaN and Infinity, which Python writes though JSON knows neither, slower."""
    try:
        with path.open("rb") as file:  # of a path, polars would take the name for a pattern
            return pl.read_ndjson(file, infer_schema_length=_WHOLE)
    except pl.exceptions.PolarsError:
        lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        return pl.DataFrame(
            [_parsed(line, number) for number, line in lines if line.strip()], infer_schema_length=_WHOLE
        )


def _parsed(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number}: {error}") from error


_READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
}


def is_points_file(source: str) -> bool:
    """Say whether ``source`` names a file rather than a store.

    >>> is_points_file("curves.parquet"), is_points_file("sqlite:///runs.csv")
    (True, False)
    """
    return "://" not in source


def read_log(source: str) -> UsablePoints:
    """Return the points in a file; without a run column they belong to a run named like the file.

    Raises:
        PointsFileError: If there is no such file, or it is of another kind or broken.
        InvalidPointsError: If a column is missing, or no run can be read.
    """
    path = Path(source)
    allowed = ", ".join(_READERS)
    reader, shown = _READERS.get(path.suffix.lower()), redacted_source(source)
    if reader is None:
        raise PointsFileError(
            f"{shown!r} is neither a store nor a file of points; allowed: an MLflow URI "
            f"(sqlite:///PATH, http://HOST) with --experiment, or a file ending in {allowed}"
        )
    if not path.is_file():
        raise PointsFileError(f"there is no file {shown!r}; give the path of a {allowed} file")
    try:
        # Absolute, since polars would take a first folder named ~ for the user's own.
        frame = reader(path.absolute())
    except (pl.exceptions.PolarsError, OSError, ValueError, TypeError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PointsFileError(f"{shown!r} cannot be read as {path.suffix[1:]}: {first}") from error
    return usable_points(frame, run_id=path.stem)

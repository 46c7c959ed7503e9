"""Tables from files, with every cell as it is; what it means is said in ``tables``."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.limits import Tally
from grokscope.importing.readers.trainer_state import HISTORY
from grokscope.importing.records import ImportingError, NotALogError
from grokscope.store.formulas import unguarded

_CELLS_A_POINT = 20
"""A table may have as many cells for each point that is taken: a few rows of JSON name many columns."""


def read_table(path: Path, tally: Tally) -> pl.DataFrame:
    """Return the table in a file; the columns of a text file are all text.

    Raises:
        ImportingError: If it cannot be read, or has more columns or cells than the caps allow.
    """
    try:
        return READERS[path.suffix.lower()](path, tally)
    except (pl.exceptions.PolarsError, OSError, ValueError, RecursionError, OverflowError) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ImportingError(f"{path.name!r} cannot be read as {path.suffix[1:]}: {first}") from error


def _parquet(path: Path, tally: Tally) -> pl.DataFrame:
    scanned = pl.scan_parquet(path, glob=False)
    names = scanned.collect_schema().names()
    rows = int(scanned.select(pl.len()).collect().item())
    # Told by the footer, before anything is unpacked: a small file may hold very many rows.
    _check_size(rows, len(names), tally)
    return scanned.collect()


def _csv(path: Path, tally: Tally) -> pl.DataFrame:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.readline(tally.limits.record_bytes)
    _check_size(0, head.count(separator) + 1, tally)
    frame = pl.read_csv(path, separator=separator, infer_schema=False, encoding="utf8-lossy", glob=False)
    _check_size(frame.height, frame.width, tally)
    return unguarded(frame)


def _lines(path: Path, tally: Tally) -> pl.DataFrame:
    most = tally.limits.record_bytes
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        while line := file.readline(most + 1):
            if len(line) > most:
                raise ImportingError(f"{path.name!r} has a line of more than {most:,} characters")
            if line.strip():
                rows.append(_row(json.loads(line)))
            if len(rows) > tally.limits.points:
                tally.points(len(rows))
    return _of_rows(rows, tally)


def _json(path: Path, tally: Tally) -> pl.DataFrame:
    content: Any = json.loads(path.read_text("utf-8-sig"))
    if isinstance(content, list):
        return _of_rows([_row(item) for item in cast("list[Any]", content)], tally)
    if isinstance(content, dict) and HISTORY in content:
        raise ImportingError(f"{path.name!r} has a {HISTORY}; import it with --kind transformers")
    return _of_columns(_row(content), tally)


def _row(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise NotALogError("the JSON holds no rows; it should be a list, or lines, of objects")
    return cast("dict[str, Any]", item)


def _of_columns(content: dict[str, Any], tally: Tally) -> pl.DataFrame:
    """Read ``{column: {row: value}}`` or ``{column: [values]}``, as data frames are written by default."""
    columns = {
        name: cast("dict[Any, Any]", cells)
        if isinstance(cells, dict)
        else _numbered(cast("list[Any]", cells))
        for name, cells in content.items()
        if isinstance(cells, dict | list)
    }
    labels = list(dict.fromkeys(label for cells in columns.values() for label in cells))
    _check_size(len(labels), len(columns), tally)
    return _of_rows([{name: cells.get(label) for name, cells in columns.items()} for label in labels], tally)


def _numbered(cells: list[Any]) -> dict[Any, Any]:
    return dict(enumerate(cells))


def _of_rows(rows: list[dict[str, Any]], tally: Tally) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    _check_size(len(rows), len(names), tally)
    return pl.DataFrame({name: [_text(row.get(name)) for row in rows] for name in names})


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, dict | list | bool):
        return None
    return cell if isinstance(cell, str) else repr(cell)


def _check_size(rows: int, columns: int, tally: Tally) -> None:
    tally.metrics(columns)
    most = tally.limits.points
    if rows > most:
        raise ImportingError(f"{rows:,} rows, more than {most:,}; raise the cap with --max-points")
    if rows * columns > most * _CELLS_A_POINT:
        raise ImportingError(
            f"{rows:,} rows of {columns:,} columns, more than {most * _CELLS_A_POINT:,} cells, empty ones "
            "included; raise the cap with --max-points"
        )


READERS: Mapping[str, Callable[[Path, Tally], pl.DataFrame]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _lines,
    ".ndjson": _lines,
    ".json": _json,
}
"""Ending of a table's name -> its reader."""

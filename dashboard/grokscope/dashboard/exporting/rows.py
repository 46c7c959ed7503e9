"""The rows that a figure draws, as frames and back."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from grokscope.dashboard.exporting.archive import MOST_BYTES, BundleError
from grokscope.schemas.files.parquet_check import ParquetCheck

_MOST_ROWS, _MOST_CELLS = 500_000, 5_000_000


def frame_of(rows: Sequence[Any]) -> pl.DataFrame:
    """Return the rows of a chart as a frame.

    Raises:
        BundleError: If they are no table.

    >>> frame_of([{"x": 0, "run": "a"}, {"x": 0.5, "run": None}]).rows()
    [(0.0, 'a'), (0.5, None)]
    """
    try:
        return pl.DataFrame(rows, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise BundleError("the data of this chart are no table of numbers and texts") from error


def rows_of(data: Mapping[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of Parquet files, by name; numbers that are not finite are missing.

    Raises:
        BundleError: If a file is damaged, or holds more than a figure draws.
    """
    rows, cells = 0, 0
    found: dict[str, list[dict[str, Any]]] = {}
    for name, content in data.items():
        try:
            lazy = pl.scan_parquet(io.BytesIO(content), glob=False)
            schema = lazy.collect_schema()
            rows += (height := int(lazy.select(pl.len()).collect().item()))
            cells += height * len(schema)
            if rows > _MOST_ROWS or cells > _MOST_CELLS:
                raise BundleError(f"this figure bundle draws more than {_MOST_ROWS:,} rows; it is not opened")
            found[name] = _plain_rows(lazy.collect(), name)
        except (pl.exceptions.PolarsError, OSError, ValueError, OverflowError) as error:
            raise BundleError(f"data/{name}.parquet in this figure bundle is damaged") from error
    return found


def check_rows(files: Mapping[str, bytes]) -> None:
    """Refuse a bundle whose Parquet files would end this process, or fill its memory, if unpacked here.

    Args:
        files: Of the bundle, by name.

    Raises:
        BundleError: With the first of them.

    >>> check_rows({"spec.json": b"{}"})
    """
    with ParquetCheck(most_bytes=MOST_BYTES) as check:
        for name, content in files.items():
            if name.endswith(".parquet") and (problem := check.problem(content)):
                raise BundleError(f"{name} in this figure bundle is not opened: {problem}")


def _plain_rows(frame: pl.DataFrame, name: str) -> list[dict[str, Any]]:
    plain = (pl.String(), pl.Boolean(), pl.Null())
    if not all(d.is_integer() or d.is_float() or d in plain for d in frame.dtypes):
        raise BundleError(f"data/{name}.parquet in this figure bundle has more than numbers and texts")
    texts = [pl.col(c).str.len_bytes().sum() for c, d in frame.schema.items() if d == pl.String()]
    if texts and sum(frame.select(texts).row(0)) > MOST_BYTES:  # one long text may stand in every row
        most = MOST_BYTES // 2**20
        raise BundleError(f"the texts of data/{name}.parquet in this figure bundle have more than {most} MB")
    finite = [pl.when(pl.col(c).is_finite()).then(pl.col(c)) for c, d in frame.schema.items() if d.is_float()]
    return frame.with_columns(finite).to_dicts()

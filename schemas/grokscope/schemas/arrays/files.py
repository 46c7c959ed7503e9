"""The file that keeps some arrays of a run: Parquet, one row an array, an artifact in ``FOLDER``."""

import io
import re
from collections.abc import Sequence

import polars as pl

from grokscope.schemas.arrays.frames import ARRAY_SCHEMA
from grokscope.schemas.arrays.logged_array import MOST_AXES, MOST_RUN_BYTES, MOST_VALUES, LoggedArray
from grokscope.schemas.errors import GrokscopeError

FOLDER = "grokscope/arrays"
"""Where a run's artifacts have them."""

MOST_FILE_BYTES = 16 << 20
"""A larger file is none of ours: ours are begun anew at an eighth of it."""

MOST_FILE_ARRAYS = 16_384
"""A file of more arrays is none of ours either."""

MOST_RUN_FILE_BYTES = 2 * MOST_RUN_BYTES
"""Files of one run that are read: noise of float32 takes more room in Parquet than by itself."""

_SHOWN = 10
_NAME = re.compile(r"[\w.-]{1,200}\.parquet", re.ASCII)
_SCHEMA = pl.Schema({name: dtype for name, dtype in ARRAY_SCHEMA.items() if name != "run_id"})


class InvalidArraysError(GrokscopeError):
    """A file that is no file of arrays; says why."""


def is_array_file(name: str) -> bool:
    """Say whether a file of the folder may hold arrays, by its name.

    >>> is_array_file("1-2-3.000000-00000008.parquet"), is_array_file("../x.parquet")
    (True, False)
    """
    return _NAME.fullmatch(name) is not None and not name.startswith(".")


def array_file(arrays: Sequence[LoggedArray]) -> bytes:
    """Return the file that keeps ``arrays``; the same bytes for the same arrays.

    >>> from grokscope.schemas.arrays.logged_array import Axis
    >>> one = LoggedArray(
    ...     name="norms",
    ...     step=3,
    ...     time_ms=1000,
    ...     precision="float64",
    ...     shape=(1,),
    ...     axes=(Axis(name="layer"),),
    ...     data=bytes(8),
    ... )
    >>> arrays_in(array_file([one]), run_id="r").row(0)
    ('r', 'norms', 3, 1000, [1], ['layer'], [[]], [0.0])
    """
    rows = [
        (
            one.name,
            one.step,
            one.time_ms,
            list(one.shape),
            [axis.name for axis in one.axes],
            [list(axis.labels) for axis in one.axes],
            one.values(),
        )
        for one in arrays
    ]
    file = io.BytesIO()
    pl.DataFrame(rows, schema=_SCHEMA, orient="row").write_parquet(file, compression="zstd")
    return file.getvalue()


def arrays_in(content: bytes, *, run_id: str) -> pl.DataFrame:
    """Return the arrays of a file as rows of ``ARRAY_SCHEMA``.

    Args:
        content: The file.
        run_id: Whose arrays they are.

    Raises:
        InvalidArraysError: If it is no whole file of arrays.

    >>> try:
    ...     arrays_in(b"PAR1", run_id="r")
    ... except InvalidArraysError as error:
    ...     print(str(error).partition(" (")[0])
    it is no readable Parquet file
    """
    if len(content) > MOST_FILE_BYTES:
        raise InvalidArraysError(f"it has {len(content):,} bytes, and may have {MOST_FILE_BYTES:,}")
    try:
        arrays = _read(content)
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise InvalidArraysError(f"it is no readable Parquet file ({said})") from error
    if bad := arrays.filter(~_is_whole()).height:
        raise InvalidArraysError(f"{bad} of its {arrays.height} arrays are not what their shape says")
    return arrays.select(pl.lit(run_id, dtype=pl.String).alias("run_id"), *_SCHEMA)


def _read(content: bytes) -> pl.DataFrame:
    scan = pl.scan_parquet(io.BytesIO(content), glob=False)
    if (found := scan.collect_schema()) != _SCHEMA:
        shown = ", ".join(list(found)[:_SHOWN])
        raise InvalidArraysError(f"its columns are {shown}, not {', '.join(_SCHEMA)}")
    count = scan.select(pl.len()).collect().item()  # of the file's end, before anything is unpacked
    if count > MOST_FILE_ARRAYS:
        raise InvalidArraysError(f"it has {count:,} arrays, and may have {MOST_FILE_ARRAYS:,}")
    return scan.collect()


def _is_whole() -> pl.Expr:
    axes = pl.col("shape").list.len()
    product = pl.lit(1, dtype=pl.Int64)
    for place in range(MOST_AXES):
        length = pl.col("shape").list.get(place, null_on_oob=True).fill_null(1)
        product = product * length.clip(0, MOST_VALUES)
    count = pl.col("values").list.len()
    is_whole = (
        axes.is_between(1, MOST_AXES)
        & (axes == pl.col("axes").list.len())
        & (axes == pl.col("labels").list.len())
        & (pl.col("shape").list.min() > 0)
        & (count == product)
        & (count <= MOST_VALUES)
        & (pl.col("values").list.drop_nulls().list.len() == count)
    )
    whole = pl.all_horizontal(pl.col("name", "step", "time_ms").is_not_null())
    return (is_whole & whole).fill_null(value=False)

"""A SQLite file that is not there yet: made whole, or not at all."""

from collections.abc import Callable
from contextlib import suppress

from grokscope.schemas.addresses import address_of, sqlite_path
from grokscope.schemas.files.replacing import beside, take_free_name


def made_whole(uri: str, make: Callable[[str], object]) -> None:
    """Make a SQLite store that is missing; what is there, or made meanwhile, stays as it is.

    MLflow makes its tables in many transactions and cannot go on where a full disk or a kill ended it: what
    is left is a file that neither it nor anybody else opens. So they are made under another name first.

    Args:
        uri: The store; one of another kind, or that is not written to, is left alone.
        make: Makes a store at the address that it is given.

    Raises:
        Exception: Whatever ``make`` raises; then nothing is there.

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> made_whole(f"sqlite:///{folder}/mlflow.db", lambda uri: sqlite_path(uri).write_text("tables"))
    >>> [path.name for path in folder.iterdir()]
    ['mlflow.db']
    """
    path = sqlite_path(uri)
    if path is None or path.exists() or address_of(uri).why_not_written:
        return
    unfinished = beside(path)
    try:
        make(f"sqlite:///{unfinished}")
        take_free_name(unfinished, path)
    finally:
        for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)

"""What names a run on the tracker's side."""

import re

from grokscope.schemas import GrokscopeError

_RUN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class TrackerError(GrokscopeError):
    """A tracker used in a way that cannot work."""


def checked_run_id(run_id: object) -> str:
    """Return ``run_id`` if it can name a folder and an MLflow tag.

    Raises:
        TrackerError: If it cannot.

    >>> checked_run_id("sweep-3.seed_1")
    'sweep-3.seed_1'
    """
    if not isinstance(run_id, str) or _RUN_ID.fullmatch(run_id) is None:
        raise TrackerError(
            f"a run_id is up to 100 letters, digits, '_', '.' and '-', not beginning with '.' or '-', got "
            f"{run_id!r}; pass the tracker.run_id of an earlier process, and use name= for a free name"
        )
    return run_id

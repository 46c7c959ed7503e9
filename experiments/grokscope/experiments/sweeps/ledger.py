"""What has become of each cell: a small record on the local disk, locked by whoever trains it."""

from collections.abc import Mapping
from pathlib import Path


class Ledger:
    """The records of cells that are logged in one store.

    Args:
        home: Where records and spools live.
        store: MLflow tracking URI.
        stored: The store's runs: client run id -> MLflow's status; ``None`` if it could not be read.
    """

    def __init__(self, home: Path, store: str, *, stored: Mapping[str, str] | None = None) -> None:
        self._home, self._store, self._stored = home, store, stored

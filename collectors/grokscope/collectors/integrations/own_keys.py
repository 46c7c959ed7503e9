"""Keys that a tracker writes itself, and what a program logs by the same ones."""

from collections.abc import Iterable, Mapping
from typing import Any

from grokscope.collectors.recording.ranks import is_first_process
from grokscope.collectors.warning import warn
from grokscope.schemas.metrics.measure import CURVE
from grokscope.schemas.metrics.split_names import splits_of
from grokscope.schemas.metrics.table import METRICS, find_metric

_APART = "log"
_PROGRESS = "progress"


class OwnKeys:
    """Keeps what a program logs apart from what its tracker measures by the same key.

    Two values a step would be one curve of two things. What the program has goes by ``log/<key>``, and that
    is said once for each split or family. Progress is often logged by hand where it is not counted, so its
    keys are the tracker's own one by one.

    Args:
        splits: Names of those that the tracker measures; their keys are its own.
        families: Of what else it measures, as ``weights``; ``None`` takes all where there are splits.

    Attributes:
        splits: The splits that these names are.

    >>> own = OwnKeys(["valid"])
    >>> [own.is_own(key) for key in ("val/loss", "weights/norm", "val_loss", "progress/tokens")]
    [True, True, False, False]
    """

    def __init__(self, splits: Iterable[str] = (), *, families: Iterable[str] | None = None) -> None:
        self.splits = splits_of(splits)
        every = {family for family, _ in METRICS} if self.splits else set[str]()
        self._families = (every if families is None else {*families}) - {_PROGRESS, CURVE}
        self._keys = {f"{_PROGRESS}/seconds"} if self._families else set[str]()
        self._said: set[str] = set()  # no lock as of ``Warnings``: callbacks are pickled for other processes

    def add(self, *keys: str) -> None:
        """Take single keys that the tracker is given from elsewhere."""
        self._keys.update(keys)

    def is_own(self, key: str) -> bool:
        """Say whether the tracker writes ``key``, or may."""
        family, has_more, _ = key.partition("/")
        if key in self._keys or (has_more and family in self.splits):
            return True
        return family in self._families and find_metric(key) is not None

    def named(self, key: str) -> str:
        """Return what the program's ``key`` goes by."""
        if not self.is_own(key):
            return key
        family = key.partition("/")[0]
        if family not in self._said and is_first_process():
            warn(
                f"the tracker writes {family}/... itself, so what the program logs by such a key goes by "
                f"{_APART}/{family}/... Training goes on."
            )
        self._said.add(family)
        return f"{_APART}/{key}"

    def apart(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the program's values by what they go by."""
        return {self.named(key): value for key, value in values.items()}

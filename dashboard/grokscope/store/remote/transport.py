"""What a remote store is read through: the seam between one policy of refreshing and several transports."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import polars as pl

from grokscope.store.arrays.artifacts import Artifacts
from grokscope.store.findings import Finding
from grokscope.store.remote.records import RunRecord


class Transport(Protocol):
    """One way of asking an MLflow store. Each method raises ``StoreError`` and nothing else."""

    @property
    def artifacts(self) -> Artifacts:
        """The artifacts of its runs."""
        ...

    def experiments(self) -> list[tuple[str, str]]:
        """Return ``(id, name)`` of active experiments."""
        ...

    def search(self, experiment_ids: Sequence[str], run_ids: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the active runs of the experiments; or, deleted ones too, those with ``run_ids``."""
        ...

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return all rows of one metric at or after a step for each run; ``None`` for the whole history.

        May return more than asked, never less; attempts at one step are all kept.
        """
        ...

    def experiment_tags(self, experiment: str) -> Mapping[str, str]:
        """Return the tags of an active experiment; raises ``ExperimentNotFoundError``."""
        ...

    def version(self) -> Finding:
        """Return of which MLflow it is, and whether that goes together with the one here."""
        ...

"""What a store can do, whatever it is reached through."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import polars as pl

from grokscope.schemas import Verdict
from grokscope.store.arrays.listing import ListedArtifacts
from grokscope.store.arrays.reading import StoredArrays
from grokscope.store.findings import Finding


class Store(Protocol):
    """The reading side of one MLflow store, and the writing of verdicts, aliases and a person's tags.

    Calls may come from several threads. Every call may raise a ``StoreError``; the object stays usable, and
    keeps what it has read.
    """

    @property
    def uri(self) -> str:
        """The address, without credentials."""
        ...

    @property
    def notice(self) -> str | None:
        """Why a slower way of reading is used, in one sentence; ``None`` on the fast path."""
        ...

    def experiments(self) -> pl.DataFrame:
        """Return active experiments as ``EXPERIMENT_SCHEMA``, the newest activity first."""
        ...

    def runs(self, experiment: str | None = None) -> pl.DataFrame:
        """Return active runs as ``RUN_SCHEMA``, newest first.

        Args:
            experiment: Name of an experiment; ``None`` for all active ones.

        Raises:
            ExperimentNotFoundError: If no active experiment has the name.
        """
        ...

    def params(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return params as ``PAIR_SCHEMA``. Raises ``RunNotFoundError``, as all calls by run id do."""
        ...

    def tags(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return tags as ``PAIR_SCHEMA``."""
        ...

    def metrics(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return which metrics the runs have, as ``KEY_SCHEMA``."""
        ...

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return one value a (run, metric, step), sorted by the three, as ``POINT_SCHEMA``.

        The latest attempt at a step wins. NaN and ±Inf are restored. A further call asks the store only for
        what is new since, late replays of old steps included.

        Args:
            run_ids: Active runs.
            metrics: Keys; ``None`` for all. A key that a run does not have gives no rows.

        Raises:
            RunNotFoundError: If an id is not an active run.
        """
        ...

    def arrays(self, run_ids: Sequence[str], names: Sequence[str] | None = None) -> StoredArrays:
        """Return small arrays of the runs, as ``Tracker.log_array`` and array instruments log them.

        Files that were read are kept in memory; a further call reads those that changed. One that is damaged,
        or of a kind or size that none of ours has, is left out and told. ``grokscope.schemas.arrays.cells``
        makes one row a value of them.

        Args:
            run_ids: Active runs; the files of each are read whole, so ask for those that are shown.
            names: Of arrays; ``None`` for all. One that a run does not have gives no rows.

        Raises:
            RunNotFoundError: If an id is not an active run.
        """
        ...

    def artifacts(self, run_id: str) -> ListedArtifacts:
        """Return the names and sizes of a run's artifacts, none of which is opened.

        Args:
            run_id: An active run.

        Raises:
            RunNotFoundError: If the id is not that of an active run.
        """
        ...

    def write_verdict(self, verdict: Verdict) -> None:
        """Put the verdict on its run: tags ``grokscope.*`` and the artifact ``grokscope/verdict.json``.

        Tags of an earlier verdict that have no value any more are removed; ``grokscope.review.*``, a
        person's decisions, are never touched.
        """
        ...

    def set_tags(self, run_id: str, changes: Mapping[str, str | None]) -> None:
        """Set tags of a run; ``None`` removes one, and one that is not there is no error.

        Args:
            run_id: An active run.
            changes: Name -> value.

        Raises:
            RunNotFoundError: If the id is not an active run.
            StoreError: If MLflow takes no tag of that length, or the store cannot be written.
        """
        ...

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return the tags of an experiment; one question.

        Raises:
            ExperimentNotFoundError: If no active experiment has the name.
        """
        ...

    def set_experiment_tags(self, experiment: str, changes: Mapping[str, str | None]) -> None:
        """Set tags of an experiment; ``None`` removes one, and one that is not there is no error.

        A server before MLflow 3 cannot remove a tag: there it becomes ``{}``.

        Args:
            experiment: Name of an active experiment.
            changes: Name -> value.

        Raises:
            ExperimentNotFoundError: If no active experiment has the name.
            StoreError: If MLflow takes no tag of that length, or the store cannot be written.
        """
        ...

    def aliases(self, experiment: str) -> dict[str, str]:
        """Return what people say that metrics are: name as logged -> our key, or ``IGNORED``.

        Cost: one question. Damaged tags are passed over.

        Raises:
            ExperimentNotFoundError: If no active experiment has the name.
        """
        ...

    def set_alias(self, experiment: str, *, name: str, canonical: str) -> None:
        """Make ``canonical`` the role of the metric ``name`` in every run of an experiment.

        Args:
            experiment: Name of an active experiment.
            name: The metric as it was logged.
            canonical: One of our keys, or ``IGNORED`` to leave the metric out of detection.

        Raises:
            UnknownMetricError: If ``canonical`` is neither.
            ExperimentNotFoundError: If no active experiment has the name.
        """
        ...

    def clear_alias(self, experiment: str, *, name: str) -> None:
        """Let the metric ``name`` have the role that the rules give it; without an override, do nothing.

        Raises:
            ExperimentNotFoundError: If no active experiment has the name.
        """
        ...

    def archive(self, run_ids: Sequence[str]) -> None:
        """Mark runs as deleted, as MLflow's own pages do: they are listed nowhere, and can be restored.

        Raises:
            RunNotFoundError: If an id is not an active run; none is archived then.
            StoreError: If the store cannot be written.
        """
        ...

    def restore(self, run_ids: Sequence[str]) -> None:
        """Make archived runs active again; one that is active stays so.

        Raises:
            RunNotFoundError: If the store has no such run, archived or not.
            StoreError: If the store cannot be written.
        """
        ...

    def describe(self) -> Iterator[Finding]:
        """Yield of which MLflow the store is, and how much is in it; nothing is written."""
        ...

    def close(self) -> None:
        """Forget what was read."""
        ...

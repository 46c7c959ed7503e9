"""What an import would add: which runs are there already, and which of their points are new."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.importing.recognition import FoundSource
from grokscope.importing.records import LOG_SCHEMA, ImportingError, SourceRun
from grokscope.importing.sandbox import Parsed
from grokscope.schemas import latest
from grokscope.schemas.names import stored_name, stored_text
from grokscope.schemas.secrets import redacted
from grokscope.schemas.tags import IMPORT_ID, IMPORT_SOURCE
from grokscope.store.errors import ExperimentNotFoundError, MissingStoreError
from grokscope.store.frames import INFINITE
from grokscope.store.opening import open_store
from grokscope.store.protocol import Store

IMPORTED = "imported"
"""Experiment of runs whose tool knows no projects."""

_PLACE = ["metric", "step"]
_BEGINNING = 64
_COMPARISONS = 50_000
_Values = Mapping[tuple[str, int], float]


@dataclass(slots=True, kw_only=True)
class PlannedRun:
    """One run of the store that points go to.

    Attributes:
        run: As the source has it.
        experiment: Name of its experiment.
        import_id: Tag by which it is found again.
        run_id: Its id in the store; ``None`` if it has to be made.
        is_open: It is not marked as ended yet, for instance since an import was interrupted.
        known: Points that the store has or will have, ``LOG_SCHEMA``.
        begins: The first of them.
        new: Points to be written, ``LOG_SCHEMA``.
        is_touched: The source holds it.
        seen: How many points of it the source holds.
        replaced: How many of them a later attempt replaced.
        renamed: Metrics whose names MLflow does not take, with what they are called instead.
    """

    run: SourceRun
    experiment: str
    import_id: str
    run_id: str | None
    is_open: bool = True
    known: pl.DataFrame = field(default_factory=LOG_SCHEMA.to_frame)
    begins: _Values = field(default_factory=dict[tuple[str, int], float])
    new: pl.DataFrame = field(default_factory=LOG_SCHEMA.to_frame)
    is_touched: bool = False
    seen: int = 0
    replaced: int = 0
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])


def plan_import(parsed: Parsed, source: FoundSource, *, uri: str, experiment: str | None) -> list[PlannedRun]:
    """Return what importing ``parsed`` into the store at ``uri`` would do; nothing is written.

    Points are compared by metric, step and value. A run without an id of its own is taken for one that is
    there if they begin alike and contradict each other nowhere: then one is the other, grown. Two runs of one
    source are never the same run, though one seed in two folders begins alike for ever; which of them is
    which in the store is told by where they lie, then by their name.

    Args:
        parsed: What the source holds.
        source: Where it is; its files' clock serves points that have none.
        uri: The store; a SQLite file may be missing.
        experiment: Goes before the tool's own project.

    Raises:
        StoreError: If the store cannot be read.
        ImportingError: If it would take too long to tell its runs apart.
    """
    try:
        store = open_store(uri)
    except MissingStoreError:
        store = None
    planner = _Planner(store, source.root, places=frozenset(stored_place(run) for run in parsed.runs))
    points = {str(key): rows for (key,), rows in parsed.points.group_by("run_id", maintain_order=True)}
    nothing = parsed.points.clear()
    # The longest first: of runs that begin alike, it finds the one in the store that has grown most.
    for run in sorted(parsed.runs, key=lambda run: -points.get(run.key, nothing).height):
        planner.add(run, points.get(run.key, nothing), experiment or run.experiment or IMPORTED)
    return planner.touched()


class _Planner:
    """Finds for each run of a source the run of the store that its points go to."""

    def __init__(self, store: Store | None, root: Path, *, places: frozenset[str]) -> None:
        self._store = store
        self._root = root
        self._places = places
        self._runs: dict[str, dict[str, list[PlannedRun]]] = {}
        self._comparisons = 0

    def add(self, run: SourceRun, points: pl.DataFrame, experiment: str) -> None:
        """Plan the writing of what is new in a run."""
        if experiment not in self._runs:
            self._runs[experiment] = self._there(experiment)
        curves, renamed = _curves(run, points, self._root)
        planned, new = self._placed(run, curves, experiment)
        planned.run = run if planned.seen == 0 else planned.run
        planned.seen += points.height
        planned.replaced += points.height - curves.height
        planned.renamed = {**planned.renamed, **renamed}
        planned.new = pl.concat([planned.new, new], rechunk=False)
        planned.known = pl.concat([planned.known, new], rechunk=False)
        planned.is_touched = True

    def touched(self) -> list[PlannedRun]:
        """Return the runs that the source has something to do with."""
        alike = (runs for experiment in self._runs.values() for runs in experiment.values())
        return [run for runs in alike for run in runs if run.is_touched]

    def _placed(
        self, run: SourceRun, curves: pl.DataFrame, experiment: str
    ) -> tuple[PlannedRun, pl.DataFrame]:
        alike = self._runs[experiment].setdefault(run.identity, [])
        begins = _beginning(curves)
        for planned in self._candidates(run, alike):
            known = self._known(planned)
            # Seeds of one training begin alike, each of them with all others: most are told apart early.
            if not run.is_certain and _contradict(begins, planned.begins):
                continue
            new, contradicts = _new(curves, known)
            if run.is_certain or not contradicts:
                return planned, new
            self._count_comparison(run)
        suffix = f"-{len(alike) + 1}" if alike else ""
        planned = PlannedRun(run=run, experiment=experiment, import_id=run.identity + suffix, run_id=None)
        planned.begins = begins
        alike.append(planned)
        return planned, curves

    def _candidates(self, run: SourceRun, alike: Sequence[PlannedRun]) -> Sequence[PlannedRun]:
        """Return the runs that may be ``run``, those that lay where it lies first, then those of its name."""
        if run.is_certain:
            return alike
        place = stored_place(run)
        free = [
            planned
            for planned in alike
            if not planned.is_touched
            and (stored_place(planned.run) == place or stored_place(planned.run) not in self._places)
        ]
        return sorted(free, key=lambda one: (stored_place(one.run) != place, one.run.name != run.name))

    def _count_comparison(self, run: SourceRun) -> None:
        self._comparisons += 1
        if self._comparisons > _COMPARISONS:
            raise ImportingError(
                f"too many runs begin alike and differ much later, among them {run.source!r}; "
                "import them from where they lay before, or in parts"
            )

    def _known(self, planned: PlannedRun) -> pl.DataFrame:
        if self._store is not None and planned.run_id is not None and planned.known.is_empty():
            planned.known = self._store.points([planned.run_id]).select(LOG_SCHEMA.names())
            planned.begins = _beginning(planned.known)
        return planned.known

    def _there(self, experiment: str) -> dict[str, list[PlannedRun]]:
        """Return the runs that were imported into an experiment before, by identity."""
        if self._store is None:
            return {}
        try:
            runs = self._store.runs(experiment)
        except ExperimentNotFoundError:
            return {}
        tags = self._store.tags(runs["run_id"].to_list())
        ids, places = (
            dict(tags.filter(pl.col("key") == key).select("run_id", "value").iter_rows())
            for key in (IMPORT_ID, IMPORT_SOURCE)
        )
        there: dict[str, list[PlannedRun]] = {}
        rows = [row for row in runs.iter_rows(named=True) if row["run_id"] in ids]
        for row in sorted(rows, key=lambda row: ids[row["run_id"]]):
            planned = _imported_before(row, ids[row["run_id"]], places.get(row["run_id"], ""))
            there.setdefault(planned.run.identity, []).append(planned)
        return there


def stored_place(run: SourceRun) -> str:
    """Return where a run lies, as the store has it: the folders of Hydra's may be called by secrets."""
    return _stored_place(run.source)


@lru_cache(maxsize=1 << 16)
def _stored_place(source: str) -> str:
    return stored_text(redacted(Path(source).as_posix()))


def _imported_before(row: Mapping[str, Any], import_id: str, place: str) -> PlannedRun:
    identity = import_id.partition("-")[0]
    return PlannedRun(
        run=SourceRun(key="", identity=identity, is_certain=False, name=row["name"], source=place),
        experiment=row["experiment"],
        import_id=import_id,
        run_id=row["run_id"],
        is_open=row["status"] == "RUNNING",
    )


def _curves(run: SourceRun, points: pl.DataFrame, root: Path) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return one value a metric and step, as the store will give them back, and the names that change."""
    names = {name: stored_name(name) for name in points["metric"].unique(maintain_order=True)}
    modified_ms = int((root / run.source).stat().st_mtime * 1000) if (root / run.source).exists() else 0
    value = pl.col("value")
    infinite = pl.when(value > 0).then(float("inf")).otherwise(float("-inf"))
    stored = pl.when(value.is_finite() & (value.abs() >= INFINITE)).then(infinite).otherwise(value)
    frame = latest(points.with_columns(stored.alias("value"), pl.col("metric").replace(names)))
    return (
        frame.with_columns(pl.col("time_ms").fill_null(modified_ms)).select(LOG_SCHEMA.names()),
        {name: safe for name, safe in names.items() if name != safe},
    )


def _beginning(curves: pl.DataFrame) -> _Values:
    first = curves.bottom_k(_BEGINNING, by=["step", "metric"])
    return {(metric, step): value for metric, step, value in first.select(*_PLACE, "value").iter_rows()}


def _contradict(one: _Values, other: _Values) -> bool:
    return any(other.get(place, value) != value and not math.isnan(value) for place, value in one.items())


def _new(curves: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Return what is not known yet, later attempts included, and whether anything known is denied."""
    if known.is_empty():  # of a new run: a large one is not copied
        return curves, False
    joined = curves.join(known, on=_PLACE, how="left", suffix="_known", maintain_order="left")
    is_there = pl.col("time_ms_known").is_not_null()
    differs = is_there & pl.col("value").ne_missing(pl.col("value_known"))
    is_later = differs & (pl.col("time_ms") > pl.col("time_ms_known"))
    new = joined.filter(~is_there | is_later).select(LOG_SCHEMA.names())
    return new, bool(joined.select(differs.any()).item())


def totals(plan: Sequence[PlannedRun]) -> tuple[int, int, int]:
    """Return runs to be made, runs that are there, and points to be written."""
    made = sum(run.run_id is None for run in plan)
    return made, len(plan) - made, sum(run.new.height for run in plan)

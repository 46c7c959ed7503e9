"""The reader of a store: opened when it is first asked, and again where it was away; it writes nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import RLock
from types import MappingProxyType

import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.reading.experiment import RUNNING, Experiment, JudgedRun, listed, with_groups
from grokscope.answers.reading.facts import facts_of, points_called
from grokscope.answers.record.names import quoted
from grokscope.schemas import Reviewed, Verdict, reviewed
from grokscope.schemas.frames import DATES_IN_THOUSANDTHS
from grokscope.schemas.runs.query import Query
from grokscope.schemas.runs.silence import silent_runs
from grokscope.schemas.runs.step_unit import runs_in_thousandths
from grokscope.store import MetricNames, Store, names_by_run, open_store, renamed_by_run
from grokscope.transitions import detect
from grokscope.transitions.live.history import is_read

_Mark = tuple[int, int]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class StoreReader:
    """Reads experiments of one store; calls of several threads wait for each other.

    What was read and judged before is kept: a further question reads and judges what is new.

    Args:
        uri: Of the store.
        clock_ms: The time, Unix ms.
        opener: Opens the store.
        pattern_words: Words that ``pattern`` may be compared with, as ``Facts`` has them.
    """

    def __init__(
        self,
        uri: str,
        *,
        clock_ms: Callable[[], int] = _now_ms,
        opener: Callable[[str], Store] = open_store,
        pattern_words: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._uri = uri
        self._clock_ms = clock_ms
        self._opener = opener
        self._pattern_words = pattern_words
        self._store: Store | None = None
        self._known: dict[str, tuple[_Mark, Verdict]] = {}
        self._overrides: dict[str, Mapping[str, str]] = {}
        self._lock = RLock()

    def now_ms(self) -> int:
        """Return the time."""
        return self._clock_ms()

    def address(self) -> str:
        """Return the store's address, without credentials.

        Raises:
            StoreError: If the store cannot be opened.
        """
        with self._lock:
            return self._opened().uri

    def recent(self, since_ms: int) -> list[str]:
        """Return the experiments with a run that was heard of since, or is called running; the newest first.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._lock:
            store = self._opened()
            found = set(store.runs().filter(_is_heard(since_ms))["experiment"])
            return [name for name in store.experiments()["name"] if name in found]

    def read(
        self, experiment: str | None, *, since_ms: int | None = None, where: Query | None = None
    ) -> Experiment:
        """Return an experiment as it is.

        Args:
            experiment: Its name; ``None`` for the one with the newest activity.
            since_ms: Judge only runs that were heard of since; the others have no verdict and no curves.
            where: Only the runs for which it holds; groups stay those of all runs.

        Raises:
            QuestionError: If there is no such experiment, none has runs, or it holds for none.
            QueryError: If it names what the runs do not have.
            StoreError: If the store cannot be read; a later call tries again.
        """
        with self._lock:
            name = self._existing(experiment)
            now_ms = self._clock_ms()
            store = self._opened()
            runs = store.runs(name)
            ids: list[str] = runs["run_id"].to_list()
            heard = runs if since_ms is None else runs.filter(_is_heard(since_ms))
            curves, names = self._curves(store, name, heard["run_id"].to_list())
            judged = self._judged(curves)
            pairs = (store.params(ids), store.tags(ids))
            late = silent_runs(
                runs, lambda some: curves.filter(pl.col("run_id").is_in(list(some))), now_ms=now_ms
            )
        records = _records(runs, judged, params=_by_run(pairs[0]), tags=_by_run(pairs[1]), silent=set(late))
        thousandths = runs_in_thousandths(pairs[1])
        found = Experiment(
            name=name,
            store=store.uri,
            runs=with_groups([_counted(run, in_thousandths=run.run_id in thousandths) for run in records]),
            curves=curves,
            now_ms=now_ms,
            points_of=lambda metric: self._points_of(metric, ids, names),
            all_points_of=lambda run: self._all_points_of(run, names),
        )
        return found if where is None else self._only(where, found, runs=runs, names=names, pairs=pairs)

    def _only(
        self,
        where: Query,
        found: Experiment,
        *,
        runs: pl.DataFrame,
        names: MetricNames,
        pairs: tuple[pl.DataFrame, pl.DataFrame],
    ) -> Experiment:
        """Return what was found without the runs for which a query does not hold."""
        verdicts = {run.run_id: run.verdict for run in found.runs if run.verdict is not None}
        groups = pl.Series("group", [run.group for run in found.runs], dtype=pl.String)
        with self._lock:
            facts = facts_of(
                runs.with_columns(groups),
                store=self._opened(),
                names=names,
                pairs=pairs,
                now_ms=found.now_ms,
            )
            ids = where.selects(replace(facts, verdicts=verdicts, pattern_words=self._pattern_words))
        if not ids:
            raise QuestionError(f"none of the {len(found.runs):,} runs is so; ask for others")
        chosen = set(ids)
        return replace(
            found,
            runs=[run for run in found.runs if run.run_id in chosen],
            curves=found.curves.filter(pl.col("run_id").is_in(ids)),
            points_of=partial(self._points_of, run_ids=ids, names=names),
        )

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._opener(self._uri)
        return self._store

    def _existing(self, experiment: str | None) -> str:
        known: list[str] = self._opened().experiments().filter(pl.col("runs") > 0)["name"].to_list()
        if experiment is None and known:
            return known[0]
        if experiment is None:
            raise QuestionError(f"the store {quoted(self._opened().uri)} has no runs yet; log some first")
        if experiment not in known:
            raise QuestionError(
                f"no experiment {quoted(experiment)} with runs in the store; there: {listed(known)}"
            )
        return experiment

    def _curves(
        self, store: Store, experiment: str, run_ids: Sequence[str]
    ) -> tuple[pl.DataFrame, MetricNames]:
        overrides = store.aliases(experiment)
        if overrides != self._overrides.get(experiment, {}):
            self._known.clear()  # they were judged under other names
        self._overrides[experiment] = overrides
        names = names_by_run(store.metrics(run_ids), overrides)
        curves = {
            run: {own: ours for own, ours in of_run.items() if _is_curve(ours)}
            for run, of_run in names.items()
        }
        logged = sorted({own for of_run in curves.values() for own in of_run})
        return renamed_by_run(store.points(run_ids, logged), curves), names

    def _points_of(self, metric: str, run_ids: Sequence[str], names: MetricNames) -> pl.DataFrame:
        with self._lock:
            return points_called(metric, self._opened(), run_ids, names)

    def _all_points_of(self, run_id: str, names: MetricNames) -> pl.DataFrame:
        own = names.get(run_id, {})
        with self._lock:
            return renamed_by_run(self._opened().points([run_id], list(own)), {run_id: own})

    def _judged(self, curves: pl.DataFrame) -> dict[str, Verdict]:
        counted = curves.group_by("run_id").agg(pl.len(), pl.col("time_ms").max().fill_null(0).alias("last"))
        marks: dict[str, _Mark] = {run: (count, last) for run, count, last in counted.iter_rows()}
        changed = [run for run, mark in marks.items() if self._known.get(run, (None,))[0] != mark]
        if changed:
            for verdict in detect(curves.filter(pl.col("run_id").is_in(changed))):
                self._known[verdict.run] = (marks[verdict.run], verdict)
        return {run: self._known[run][1] for run in marks}


def _is_curve(name: str) -> bool:
    return name.startswith("progress/") or is_read(name)


def _is_heard(since_ms: int) -> pl.Expr:
    latest = pl.max_horizontal("last_ms", "end_ms", "start_ms")
    return (latest >= since_ms) | latest.is_null() | (pl.col("status") == RUNNING)


def _by_run(pairs: pl.DataFrame) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for run, key, value in pairs.select("run_id", "key", "value").iter_rows():
        found.setdefault(run, {})[key] = value
    return found


def _records(
    runs: pl.DataFrame,
    verdicts: Mapping[str, Verdict],
    *,
    params: Mapping[str, Mapping[str, str]],
    tags: Mapping[str, Mapping[str, str]],
    silent: set[str],
) -> list[JudgedRun]:
    found: list[JudgedRun] = []
    for row in runs.iter_rows(named=True):
        run: str = row["run_id"]
        own = reviewed(verdicts[run], tags.get(run, {})) if run in verdicts else None
        found.append(_record(row, own, params=params.get(run, {}), is_silent=run in silent))
    return found


def _record(
    row: Mapping[str, str], own: Reviewed | None, *, params: Mapping[str, str], is_silent: bool
) -> JudgedRun:
    kept = ("run_id", "status", "start_ms", "end_ms", "last_ms", "step")
    return JudgedRun(
        **{name: row[name] for name in kept},  # pyright: ignore[reportArgumentType] - as RUN_SCHEMA types them
        name=row["name"] or row["run_id"][:8],
        params=params,
        is_silent=is_silent,
        verdict=None if own is None else own.verdict,
        decided=() if own is None else own.decided,
        notes=() if own is None else own.unread,
    )


def _counted(run: JudgedRun, *, in_thousandths: bool) -> JudgedRun:
    if not in_thousandths:
        return run
    return replace(run, notes=(*run.notes, DATES_IN_THOUSANDTHS))

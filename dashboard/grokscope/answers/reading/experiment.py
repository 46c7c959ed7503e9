"""One experiment as it is answered from: its runs with their verdicts, their params and their curves."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.record.names import quoted, shown
from grokscope.interventions.comparing.grouping import split_params
from grokscope.schemas import Pattern, Verdict, params_on_axes
from grokscope.schemas.runs.groups import UNGROUPED, groups_of
from grokscope.schemas.runs.ordering import natural
from grokscope.schemas.runs.query import named_param
from grokscope.schemas.secrets import WITHHELD, is_secret

RUNNING = "RUNNING"
ALL_RUNS = "all runs"
_MOST_NAMED = 8
_SHORTEST_ID = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """A run of an experiment.

    Attributes:
        run_id: Its id.
        name: As it was logged, or the begin of its id.
        group: What its seeds share, as it was logged.
        lacks: What it has none of that tells the others' groups apart, so that its group is no setting.
        params: As they were logged.
        status: MLflow's.
        start_ms, end_ms, last_ms: Begin, end and latest sign of life, Unix times in ms.
        step: Its highest step.
        is_silent: Called running, and not heard of for too long.
        verdict: As a person left it; ``None`` while it has logged nothing that is judged.
        decided: What of the verdict a person decided.
        notes: What is to be said of how it was read.
    """

    run_id: str
    name: str
    group: str = UNGROUPED
    lacks: str | None = None
    params: Mapping[str, str]
    status: str
    start_ms: int | None
    end_ms: int | None
    last_ms: int | None
    step: int | None
    is_silent: bool
    verdict: Verdict | None
    decided: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def own_params(self) -> dict[str, str]:
        """Its params, by our names where they have one."""
        return params_on_axes(self.params)

    @property
    def is_running(self) -> bool:
        """Whether it trains, as far as anybody can tell."""
        return self.status == RUNNING and not self.is_silent

    @property
    def has_generalized(self) -> bool:
        """Whether it generalized, and has not lost it since."""
        found = self.verdict
        return found is not None and found.generalized is not None and found.pattern is not Pattern.COLLAPSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment at one moment.

    Attributes:
        name: As it was logged.
        store: The store's address, without credentials.
        runs: Newest first.
        curves: Points of scores, losses and progress, under the names that verdicts have.
        now_ms: When it was read.
        points_of: Gives the points of any metric of these runs, under the name that was asked for.
        all_points_of: Gives all points of the run of an id, under the names that verdicts have.
    """

    name: str
    store: str
    runs: Sequence[JudgedRun]
    curves: pl.DataFrame
    now_ms: int
    points_of: Callable[[str], pl.DataFrame]
    all_points_of: Callable[[str], pl.DataFrame]

    def run(self, asked: str) -> JudgedRun:
        """Return the run of an id, of the begin of one, or of a name.

        Raises:
            QuestionError: If there is none, or several.
        """
        found = [run for run in self.runs if run.run_id == asked] or [
            run
            for run in self.runs
            if run.name == asked or (len(asked) >= _SHORTEST_ID and run.run_id.startswith(asked))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(run.run_id[:8] for run in found[:_MOST_NAMED])
            called = f"{len(found)} runs of {quoted(self.name)} are called {quoted(asked)}"
            raise QuestionError(f"{called}; give the id of one: {ids}")
        raise QuestionError(
            f"the experiment {quoted(self.name)} has no run {quoted(asked)}; there: "
            f"{listed(run.name for run in self.runs)}"
        )

    def grouped(self, by: str | None) -> dict[str, list[JudgedRun]]:
        """Return the runs by the label of their group.

        Args:
            by: Params, with commas between; ``None`` for what the runs' seeds share.

        Raises:
            QueryError: If no param is meant by a name.
        """
        labels = [run.group for run in self.runs] if by is None else self._labels(by)
        if by is None and set(labels) == {UNGROUPED}:
            labels = [ALL_RUNS] * len(labels)
        found: dict[str, list[JudgedRun]] = {label: [] for label in natural(labels)}
        for label, run in zip(labels, self.runs, strict=True):
            found[label].append(run)
        return found

    def comparable(self, by: str | None) -> dict[str, list[JudgedRun]]:
        """Return the groups that are settings: without runs that lack what tells the others apart.

        Raises:
            QueryError: If no param is meant by a name.
        """
        groups = self.grouped(by)
        if by is None:
            kept = {label: [run for run in runs if run.lacks is None] for label, runs in groups.items()}
        else:
            params = self._named(by).values()
            kept = {
                label: [run for run in runs if all(run.params.get(param) for param in params)]
                for label, runs in groups.items()
            }
        return {label: runs for label, runs in kept.items() if runs} or groups

    def _labels(self, by: str) -> list[str]:
        params = self._named(by)
        return [_label(params, run.params) for run in self.runs]

    def _named(self, by: str) -> dict[str, str]:
        """Return the names that were asked for -> the params that they mean."""
        known = sorted({name for run in self.runs for name in run.params})
        return {name: named_param(name, known) for name in split_params(by, known)}


def with_groups(runs: Sequence[JudgedRun]) -> list[JudgedRun]:
    """Return the runs with what tells them from the others but a seed, and a name of its own for each.

    >>> with_groups([])
    []
    """
    groups = groups_of([run.own_params for run in runs])
    count = Counter(run.name for run in runs)
    return [
        replace(
            run,
            group=group.name,
            lacks=group.lacks,
            name=run.name if count[run.name] == 1 else f"{shown(run.name, size=64)} ({run.run_id[:6]})",
        )
        for run, group in zip(runs, groups, strict=True)
    ]


def listed(names: Iterable[str], *, most: int = _MOST_NAMED) -> str:
    """Return names in quotes, the first ones of many, and how many there are more.

    >>> listed(["a", "b", "c"], most=2), listed([])
    ("'a', 'b' and 1 more", 'none')
    """
    found = list(names)
    some = ", ".join(quoted(name) for name in found[:most])
    more = f" and {len(found) - most:,} more" if len(found) > most else ""
    return f"{some}{more}" or "none"


def _label(asked: Mapping[str, str], params: Mapping[str, str]) -> str:
    """Return the bare value of one param, ``a=1, b=2`` of several."""
    values = {name: _shown(param, params.get(param)) for name, param in asked.items()}
    if len(values) == 1:
        ((name, value),) = values.items()
        return value or f"no {name}"
    return ", ".join(f"{name}={value or 'none'}" for name, value in values.items())


def _shown(param: str, value: str | None) -> str | None:
    return WITHHELD if value and is_secret(param, value) else value

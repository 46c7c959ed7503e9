"""The runs of an experiment, each fed to a live detector as it grows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import polars as pl

from grokscope.cli.terminal import shown
from grokscope.schemas import Transition, resolve
from grokscope.store import Store
from grokscope.transitions import LiveDetector, e_bh
from grokscope.transitions.live.history import is_read

_RUNNING = "RUNNING"
_Mark = tuple[int, object]
"""How many points there are, and the time of the latest: changes when points are added or written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one run's detector said: an event that is new, has moved or is withdrawn, or a signal."""

    run_id: str
    event: Transition | None = None
    signal: str = ""
    finding: str = ""


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run: fed up to and with ``fed_to``; ``past`` is the mark of that part, ``mark`` that of all."""

    detector: LiveDetector
    raised: set[str] = field(default_factory=set[str])
    fed_to: int | None = None
    past: _Mark | None = None
    mark: _Mark | None = None


class WatchedRuns:
    """Reads what is new in an experiment and lets one detector a run judge it.

    Args:
        store: Where the runs are.
        experiment: Its name.
        alpha: Bound on a run's probability of ever being suspected for nothing, and on the false discovery
            rate over all runs.
    """

    def __init__(self, store: Store, experiment: str, *, alpha: float) -> None:
        self.names: Mapping[str, str] = {}
        self.alpha = alpha
        self._store = store
        self._experiment = experiment
        self._runs: dict[str, _Run] = {}

    @property
    def discoveries(self) -> tuple[str, ...]:
        """The runs that generalize, at a false discovery rate of at most alpha whatever they share."""
        e_values = {run: self._runs[run].detector.e_value if run in self._runs else 1.0 for run in self.names}
        return tuple(e_bh(e_values, self.alpha))

    def news(self, *, is_last: bool) -> Iterator[News]:
        """Read what is new; yield what the detectors say of it, run by run in order of step.

        The newest step of a run that goes on waits for the next reading, unless ``is_last``: the rest of its
        evaluation may still be on its way. A run whose past was rewritten is judged anew.

        Raises:
            StoreError: If the store cannot be read; the next call goes on where this one stopped.
        """
        listed = self._store.runs(self._experiment)
        status = dict(zip(listed["run_id"], listed["status"], strict=True))
        self.names = names_of(listed)
        for points in self._points(list(status)).partition_by("run_id"):
            run_id = str(points.item(0, "run_id"))
            yield from self._fed(run_id, points, goes_on=status[run_id] == _RUNNING and not is_last)

    def _points(self, run_ids: Sequence[str]) -> pl.DataFrame:
        keys = self._store.metrics(run_ids)["metric"].unique()
        return self._store.points(run_ids, [key for key, name in resolve(keys).items() if is_read(name)])

    def _fed(self, run_id: str, points: pl.DataFrame, *, goes_on: bool) -> Iterator[News]:
        run = self._runs.get(run_id)
        if run is not None and _mark_of(points, run.fed_to) != run.past:
            yield News(
                run_id=run_id, signal="judged anew", finding="steps that it had passed were logged again"
            )
            run = None
        if run is None:
            run = self._runs[run_id] = _Run(detector=LiveDetector(run_id, alpha=self.alpha))
        new = points if run.fed_to is None else points.filter(pl.col("step") > run.fed_to)
        newest: int = points.select(pl.col("step").max()).item()
        mark = _mark_of(points, newest)
        if goes_on and mark != run.mark:
            new = new.filter(pl.col("step") < newest)
        run.mark = mark
        for step, values in evaluations(new):
            yield from _said(run_id, run, step, values)
            run.fed_to = step
        run.past = _mark_of(points, run.fed_to)


def _said(run_id: str, run: _Run, step: int, values: Mapping[str, float]) -> Iterator[News]:
    events = run.detector.update(step, values)
    for signal, finding in run.detector.signals.items():
        if signal not in run.raised and signal != "evidence":
            yield News(run_id=run_id, signal=signal, finding=finding)
        run.raised.add(signal)
    yield from (News(run_id=run_id, event=event) for event in events)


def evaluations(points: pl.DataFrame) -> Iterator[tuple[int, Mapping[str, float]]]:
    """Yield (step, metric -> value) of one run's points, in order of step.

    >>> frame = pl.DataFrame({"step": [2, 1, 2], "metric": ["a", "a", "b"], "value": [3.0, 1.0, 4.0]})
    >>> list(evaluations(frame))
    [(1, {'a': 1.0}), (2, {'a': 3.0, 'b': 4.0})]
    """
    rows = points.sort("step", "metric").select("step", "metric", "value").iter_rows()
    for step, group in groupby(rows, key=itemgetter(0)):
        yield step, {metric: value for _, metric, value in group}


def names_of(runs: pl.DataFrame) -> dict[str, str]:
    """Return run id -> a name that can be printed, and is unique.

    >>> runs = pl.DataFrame({"run_id": ["abc", "def", "ghi"], "name": ["x", "x", ""]})
    >>> names_of(runs)
    {'abc': 'x (abc)', 'def': 'x (def)', 'ghi': 'ghi'}
    """
    plain = {run: shown(name) or run for run, name in runs.select("run_id", "name").iter_rows()}
    count = Counter(plain.values())
    return {run: name if count[name] == 1 else f"{name} ({run[:8]})" for run, name in plain.items()}


def _mark_of(points: pl.DataFrame, fed_to: int | None) -> _Mark | None:
    if fed_to is None:
        return None
    past = points.filter(pl.col("step") <= fed_to)
    return past.height, past["time_ms"].max()

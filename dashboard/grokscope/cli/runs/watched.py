"""The runs of an experiment, read from their store and followed as they grow."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from grokscope.cli.terminal import shown
from grokscope.schemas import Review, reviews_in
from grokscope.schemas.runs.step_unit import runs_in_thousandths
from grokscope.schemas.verdicts.reviewed import is_no_generalization, reviewed_event
from grokscope.store import MetricNames, Store, names_by_run, renamed_by_run
from grokscope.transitions.live.feed import LiveFeed
from grokscope.transitions.live.history import is_read
from grokscope.transitions.live.news import Change, News

_RUNNING = "RUNNING"


class WatchedRuns:
    """Reads an experiment and says what is new in it.

    ``in_thousandths`` are the runs whose steps are thousandths of those in the logs that they come from.

    Args:
        store: Where the runs are.
        experiment: Name of the experiment.
        alpha: See ``LiveFeed``.
        aliases: Metric -> our key, besides what people have said in the store; these go first.
    """

    def __init__(
        self, store: Store, experiment: str, *, alpha: float, aliases: Mapping[str, str] | None = None
    ) -> None:
        self.names: Mapping[str, str] = {}
        self.in_thousandths: frozenset[str] = frozenset()
        self.feed = LiveFeed(alpha=alpha)
        self._store = store
        self._experiment = experiment
        self._aliases = dict(aliases or {})
        self._unsaid: list[News] = []
        """What the next call says, too, if the store fails before reviews are read."""

        self._decided: set[tuple[object, ...]] = set()

    def news(self, *, is_last: bool) -> Iterator[News]:
        """Read all runs; yield what is new, run by run in order of step.

        Args:
            is_last: Nothing is read after this: the newest step of a run that goes on does not wait for the
                rest of its evaluation.

        Raises:
            StoreError: If the store cannot be read; the next call goes on from there.
        """
        listed = self._store.runs(self._experiment)
        status = dict(zip(listed["run_id"], listed["status"], strict=True))
        new = [run for run in status if run not in self.names]
        if new:  # an import says it when it makes a run
            self.in_thousandths |= runs_in_thousandths(self._store.tags(new))
        self.names = names_of(listed)
        read = self._read_names(list(status))
        logged = sorted({own for of_run in read.values() for own in of_run})
        points = renamed_by_run(self._store.points(list(status), logged), read)
        goes_on = {run: state == _RUNNING and not is_last for run, state in status.items()}
        names = {name: name for name in points["metric"].unique()}
        self._unsaid += self.feed.update(points, runs=goes_on, names=names)
        yield from self.as_reviewed(self._unsaid)
        self._unsaid = []

    def discovered(self) -> tuple[str, ...]:
        """Return the runs that generalize, see ``LiveFeed``, without those of which a person said no.

        Raises:
            StoreError: If the store cannot be read.
        """
        found = self.feed.discovered
        reviews = self._reviews(found)
        return tuple(run for run in found if not is_no_generalization(reviews.get(run, ())))

    def as_reviewed(self, found: Sequence[News]) -> Iterator[News]:
        """Yield news as people left their events; none of what they rejected, or have decided already."""
        reviews = self._reviews([news.run_id for news in found])
        for news in found:
            if news.event is None:
                yield news
                continue
            event = reviewed_event(news.event, reviews.get(news.run_id, ()))
            if event is news.event:
                yield news
            elif event is not None and news.change is not Change.WITHDRAWN:
                said = (event.run_id, event.metric, event.kind, event.step, event.low, event.high)
                if said not in self._decided:  # first suspected, then confirmed: to a person it is one
                    self._decided.add(said)
                    yield replace(news, event=event)

    def _reviews(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[Review]]:
        if not run_ids:
            return {}
        tags: dict[str, dict[str, str]] = {}
        found = self._store.tags(list(dict.fromkeys(run_ids))).select("run_id", "key", "value")
        for run, key, value in found.iter_rows():
            tags.setdefault(run, {})[key] = value
        return {run: reviews_in(of_run).reviews for run, of_run in tags.items()}

    def _read_names(self, run_ids: list[str]) -> MetricNames:
        """Return the metrics of each run that are read."""
        overrides = {**self._store.aliases(self._experiment), **self._aliases}
        named = names_by_run(self._store.metrics(run_ids), overrides)
        return {
            run: {own: key for own, key in of_run.items() if is_read(key)} for run, of_run in named.items()
        }


def names_of(runs: pl.DataFrame) -> dict[str, str]:
    """Return run id -> a name that can be printed, and is unique.

    >>> runs = pl.DataFrame({"run_id": ["abc", "def", "ghi"], "name": ["x", "x", ""]})
    >>> names_of(runs)
    {'abc': 'x (abc)', 'def': 'x (def)', 'ghi': 'ghi'}
    """
    plain = {run: shown(name) or run for run, name in runs.select("run_id", "name").iter_rows()}
    count = Counter(plain.values())
    return {run: name if count[name] == 1 else f"{name} ({run[:8]})" for run, name in plain.items()}

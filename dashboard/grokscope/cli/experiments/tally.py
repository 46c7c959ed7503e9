"""What has become of the cells of a sweep, as its progress comes in."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from grokscope.experiments import Cell, Outcome, Progress

_MINUTE = 60


@dataclass(slots=True)
class Tally:
    """What has become of the cells so far.

    Attributes:
        cells: All of them.
        began: When, by a clock that only grows.
        ends: Experiment and group -> how many cells came to which end.
        steps: Run id -> how many steps are done.
        failures: The last that was heard of those that failed.
        silent: How many ended without a tracker.
        late: How many have points that wait on another machine for the store.
    """

    cells: Sequence[Cell]
    began: float = field(default_factory=time.monotonic)
    ends: dict[tuple[str, str], Counter[Outcome]] = field(
        default_factory=dict[tuple[str, str], Counter[Outcome]]
    )
    steps: dict[str, int] = field(default_factory=dict[str, int])
    failures: list[Progress] = field(default_factory=list[Progress])
    silent: Counter[Outcome] = field(default_factory=Counter[Outcome])
    late: int = 0

    def add(self, news: Progress) -> None:
        """Take the next that is told of a cell."""
        cell = news.cell
        if news.step:
            self.steps[news.run_id] = news.step
        if news.outcome is not None:
            self.ends.setdefault((cell.experiment, cell.group), Counter())[news.outcome] += 1
        if news.outcome is Outcome.FAILED:
            self.failures.append(news)
        if news.code is not None and news.outcome is not None and not news.is_tracked:
            self.silent[news.outcome] += 1
        self.late += news.is_on_its_way

    def count(self, *outcomes: Outcome) -> int:
        """Return how many cells came to one of these ends."""
        return sum(each[outcome] for each in self.ends.values() for outcome in outcomes)

    @property
    def done(self) -> int:
        """How many cells came to an end."""
        return self.count(*Outcome)

    def words(self) -> str:
        """Return what stands before the bar."""
        parts = [f"{self.count(Outcome.FAILED)} failed"]
        if steps := sum(self.steps.values()):
            parts.append(f"{steps:,} steps")
        trained = self.count(Outcome.FINISHED, Outcome.FAILED)
        if trained and (left := len(self.cells) - self.done):
            parts.append(_left((time.monotonic() - self.began) / trained * left))
        return ", ".join(parts)

    def groups(self) -> list[dict[str, str | int]]:
        """Return a row a group: its runs, those that are done, and those that failed."""
        runs = Counter((cell.experiment, cell.group) for cell in self.cells)
        return [
            {
                "group": group,
                "runs": count,
                "done": ends[Outcome.FINISHED] + ends[Outcome.EARLIER],
                "failed": ends[Outcome.FAILED],
            }
            for (experiment, group), count in runs.items()
            for ends in [self.ends.get((experiment, group), Counter[Outcome]())]
        ]


def _left(seconds: float) -> str:
    if seconds < _MINUTE:
        return "less than a minute left"
    minutes = round(seconds / _MINUTE)
    return (
        f"about {minutes} min left" if minutes < 2 * _MINUTE else f"about {round(minutes / _MINUTE)} h left"
    )

"""What the arms of experiments did, beside what their sources say: one line an arm."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from grokscope.cli.terminal import say, say_json, say_table
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.schemas import Verdict

_HEAD = """# Experiments

What `grokscope experiments` trains, and what the engine found: one line an arm, its seeds counted. A run is
found where its verdict is what the source of its experiment leads to expect. Arms in italics are controls:
the event is to stay away there, or to come otherwise, since its cause is missing.

`make experiments` trains all of it anew and writes this page; `grokscope experiments NAME` shows the settings
of one, and `grokscope sweep` trains it with others ([sweeps](sweeps.md)).
"""
_COLUMNS = ("experiment", "arm", "n", "event", "found", "s")


@dataclass(slots=True, kw_only=True)
class ArmResult:
    """The runs of one arm.

    Attributes:
        experiment: Whose arm it is.
        arm: The arm.
        verdicts: Of its runs that have been judged.
        seconds: How long each of these took, by the wall clock.
        failed: How many of its runs ended with an error.
    """

    experiment: Experiment
    arm: Arm
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    seconds: list[float] = field(default_factory=list[float])
    failed: int = 0

    @property
    def found(self) -> int:
        """How many runs did what is expected."""
        return sum(map(self.arm.expects.is_met_by, self.verdicts))

    @property
    def count(self) -> int:
        """How many runs were trained, those that failed among them."""
        return len(self.verdicts) + self.failed

    @property
    def patterns(self) -> dict[str, int]:
        """How many runs have each pattern."""
        names = [verdict.pattern.value for verdict in self.verdicts]
        return {name: names.count(name) for name in sorted(set(names))}

    @property
    def typical_seconds(self) -> float | None:
        """The median time of a run; ``None`` before the first has ended."""
        return round(median(self.seconds), 1) if self.seconds else None


def say_results(results: Sequence[ArmResult]) -> None:
    """Print a table for people."""
    rows = [_cells(one, found=f"{one.found} of {one.count}") for one in results]
    say_table(_COLUMNS, rows, numbers=("n", "found", "s"))


def say_results_as_json(results: Sequence[ArmResult]) -> None:
    """Print one JSON object an arm, a line each."""
    for one in results:
        told = {
            "experiment": one.experiment.name,
            "arm": one.arm.group,
            "is_control": one.arm.is_control,
            "n": one.count,
            "event": one.arm.expects.says,
            "found": one.found,
            "failed": one.failed,
            "patterns": one.patterns,
            "seconds": one.typical_seconds,
        }
        say_json(json.dumps(told))


def say_results_as_page(results: Sequence[ArmResult]) -> None:
    """Print the page ``docs/experiments.md``: a table of all arms, and the source of each experiment."""
    for line in (*_HEAD.split("\n"), *_summary(results), *_table(results), *_sources(results)):
        say(line)


def _summary(results: Sequence[ArmResult]) -> Iterator[str]:
    found, count = sum(one.found for one in results), sum(one.count for one in results)
    seconds = sum(second for one in results for second in one.seconds)
    yield f"{found} of {count} runs did what is expected; they took {seconds / 60:.0f} minutes of a process."
    yield ""


def _table(results: Sequence[ArmResult]) -> Iterator[str]:
    yield "| experiment | arm | n | event | found | seconds a run |"
    yield "|---|---|---:|---|---:|---:|"
    for one in results:
        name, arm, *others = (cell.replace("|", "\\|") for cell in _cells(one, found=str(one.found)))
        shown = f"*{arm}*" if one.arm.is_control else arm
        yield f"| {' | '.join((f'[{name}](#{name})', shown, *others))} |"


def _sources(results: Sequence[ArmResult]) -> Iterator[str]:
    for experiment in {one.experiment.name: one.experiment for one in results}.values():
        yield from ("", f"## {experiment.name}", "")
        yield f"{experiment.title}. Event: {experiment.event}. Source: {experiment.source}."


def _cells(one: ArmResult, *, found: str) -> tuple[str, ...]:
    seconds = "–" if one.typical_seconds is None else f"{one.typical_seconds:.1f}"
    return (one.experiment.name, one.arm.group, str(one.count), one.arm.expects.says, found, seconds)

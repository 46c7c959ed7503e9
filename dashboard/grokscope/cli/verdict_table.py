"""Verdicts for people: one line a run."""

from collections.abc import Mapping, Sequence

from grokscope.cli.terminal import say_table, shown
from grokscope.schemas import Date, Verdict

_TITLES = ("run", "pattern", "memorized", "onset", "generalized", "delay")


def say_verdicts(verdicts: Sequence[Verdict], names: Mapping[str, str] | None = None) -> None:
    """Print a table: pattern, dates with their 95 % intervals, delay.

    Args:
        verdicts: One a run.
        names: Run id -> name to show instead.
    """
    rows = [_cells(verdict, (names or {}).get(verdict.run, verdict.run)) for verdict in verdicts]
    say_table(_TITLES, rows, numbers=_TITLES[2:])


def _cells(verdict: Verdict, name: str) -> tuple[str, ...]:
    pattern = f"{verdict.pattern}{' (in progress)' if verdict.in_progress else ''}"
    delay = verdict.delay
    ratio = "" if delay is None or delay.ratio is None else f" (×{delay.ratio:.1f})"
    return (
        shown(name),
        pattern,
        date_text(verdict.memorized),
        date_text(verdict.onset),
        date_text(verdict.generalized),
        "–" if delay is None else f"{delay.steps:,}{ratio}",
    )


def date_text(date: Date | None) -> str:
    """Return a date with its interval.

    >>> date_text(Date(step=1550, low=1525, high=1575)), date_text(None)
    ('1,550 [1,525, 1,575]', '–')
    """
    return "–" if date is None else f"{date.step:,} [{date.low:,}, {date.high:,}]"

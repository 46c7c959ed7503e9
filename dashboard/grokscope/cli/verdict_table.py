"""Verdicts for people: one line a run."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grokscope.schemas import Date, Verdict


def verdict_table(verdicts: Sequence[Verdict], names: Mapping[str, str] | None = None) -> str:
    """Return a table as text: pattern, dates with their 95 % intervals, delay.

    Args:
        verdicts: One a run.
        names: Run id -> name to show instead.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("run", "pattern"):
        table.add_column(title, overflow="fold")
    for title in ("memorized", "onset", "generalized", "delay"):
        table.add_column(title, justify="right")
    for verdict in verdicts:
        # Text, not markup: a run may be called "[bold]".
        table.add_row(*(Text(cell) for cell in _cells(verdict, (names or {}).get(verdict.run, verdict.run))))
    console = Console(width=140, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n")


def _cells(verdict: Verdict, name: str) -> tuple[str, ...]:
    pattern = f"{verdict.pattern}{' (in progress)' if verdict.in_progress else ''}"
    delay = verdict.delay
    ratio = "" if delay is None or delay.ratio is None else f" (×{delay.ratio:.1f})"
    return (
        name,
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

"""Verdicts for people: one line a run, what stands behind it, and what the words mean."""

from collections.abc import Mapping, Sequence

from grokscope.cli.terminal import say, say_table, shown
from grokscope.dashboard.words.dates import DATES, date_of
from grokscope.dashboard.words.patterns import PATTERN_WORDS, headline
from grokscope.dashboard.words.phrases import level
from grokscope.dashboard.words.sentences import TrainingEnd, note
from grokscope.schemas import CurveOutcome, Date, Delay, Pattern, Verdict
from grokscope.transitions import NATIVE

_NO_ENDS: Mapping[str, Mapping[str, TrainingEnd]] = {}
_BY_DEFINITION = "grokking step"
"""A rule of other people dates it, not half of the rise."""


def say_verdicts(
    verdicts: Sequence[Verdict],
    names: Mapping[str, str] | None = None,
    *,
    trained: Mapping[str, Mapping[str, TrainingEnd]] = _NO_ENDS,
) -> None:
    """Print a table: pattern, dates with their 95 % intervals, delay; and what each pattern means.

    Under a run stands how far it came, or why it is not judged; with several held-out curves, what each did.

    Args:
        verdicts: One a run.
        names: Run id -> name to show instead.
        trained: Run id -> held-out curve -> the training curve that it was judged with.
    """
    is_native = all(verdict.definition in ("", NATIVE) for verdict in verdicts)
    dates = [name if name != "midpoint" or is_native else _BY_DEFINITION for name in DATES]
    titles = ("run", "pattern", *dates, "delay")
    rows: list[tuple[str, ...]] = []
    notes: list[list[str]] = []
    for verdict in verdicts:
        rows.append(_cells(verdict, shown((names or {}).get(verdict.run, verdict.run))))
        said = note(verdict, trained=trained.get(verdict.run, {}))
        notes.append([said] if said else [])
        if len(verdict.outcomes) > 1:
            rows += [_cells(one, f"  {shown(one.metric)} {level(one.level)}") for one in verdict.outcomes]
            notes += [[] for _ in verdict.outcomes]
    say_table(titles, rows, numbers=titles[2:], notes=notes)
    say("")
    for pattern in sorted({verdict.pattern for verdict in verdicts}, key=list(Pattern).index):
        say(f"{headline(pattern)}: {PATTERN_WORDS[pattern].sentence}")


def _cells(judged: Verdict | CurveOutcome, name: str) -> tuple[str, ...]:
    is_open = isinstance(judged, Verdict) and judged.in_progress
    dates = [date_text(_date(judged, title)) for title in DATES]
    pattern = f"{judged.pattern}{' (in progress)' if is_open else ''}"
    return (name, pattern, *dates, _delay_text(judged.delay))


def _date(judged: Verdict | CurveOutcome, title: str) -> Date | None:
    return None if title == "memorized" and isinstance(judged, CurveOutcome) else date_of(judged, title)


def _delay_text(delay: Delay | None) -> str:
    ratio = "" if delay is None or delay.ratio is None else f" (×{delay.ratio:.1f})"
    return "–" if delay is None else f"{delay.steps:,}{ratio}"


def date_text(date: Date | None) -> str:
    """Return a date with its interval.

    >>> date_text(Date(step=1550, low=1525, high=1575)), date_text(None)
    ('1,550 [1,525, 1,575]', '–')
    """
    return "–" if date is None else f"{date.step:,} [{date.low:,}, {date.high:,}]"

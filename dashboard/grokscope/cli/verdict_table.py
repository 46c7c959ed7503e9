"""Verdicts for people: one line a run, what stands behind it, and what the words mean.

Where lines with all digits are too long for the terminal, steps are said in three digits; where these are too
long as well, intervals stand under their dates; in a narrow terminal each run has a few lines. JSON is exact.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from grokscope.cli.terminal import fits, line_width, say, say_block, say_table, shown
from grokscope.dashboard.words.dates import DATES, date_of
from grokscope.dashboard.words.patterns import PATTERN_WORDS, headline
from grokscope.dashboard.words.phrases import level, steps, steps_in_short
from grokscope.dashboard.words.sentences import TrainingEnd, note
from grokscope.schemas import CurveOutcome, Date, Delay, Pattern, Verdict
from grokscope.transitions import NATIVE

_NO_ENDS: Mapping[str, Mapping[str, TrainingEnd]] = {}
_BY_DEFINITION = "grokking step"
"""A rule of other people dates it, not half of the rise."""
_NONE = "–"
_Said = Callable[[float], str]
_PATTERN, _DELAY = "pattern", "delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A run, or one of its held-out curves, with the lines under it."""

    name: str
    judged: Verdict | CurveOutcome
    notes: list[str] = field(default_factory=list[str])


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
    rows = [row for verdict in verdicts for row in _rows(verdict, names or {}, trained)]
    has_delay = any(row.judged.delay is not None for row in rows)
    titles = ("run", _PATTERN, *dates, *((_DELAY,) if has_delay else ()))
    for said, is_below in ((steps, False), (steps_in_short, False), (steps, True)):
        lines = [
            (cells[: len(titles)], row) for row in rows for cells in _lines(row, said, is_below=is_below)
        ]
        table = [cells for cells, _ in lines]
        if fits(titles, table, numbers=titles[2:]):
            is_last = [row is not after for (_, row), (_, after) in pairwise([*lines, ((), None)])]
            notes = [row.notes if last else [] for (_, row), last in zip(lines, is_last, strict=True)]
            say_table(titles, table, numbers=titles[2:], notes=notes, width=line_width())
            break
    else:
        _say_blocks(rows, titles)
    say("")
    for pattern in sorted({verdict.pattern for verdict in verdicts}, key=list(Pattern).index):
        say(f"{headline(pattern)}: {PATTERN_WORDS[pattern].sentence}")


def _rows(
    verdict: Verdict, names: Mapping[str, str], trained: Mapping[str, Mapping[str, TrainingEnd]]
) -> Iterator[_Row]:
    said = note(verdict, trained=trained.get(verdict.run, {}))
    name = shown(names.get(verdict.run, verdict.run))
    decided = [f"Reviewed: {shown(one.sentence())}." for one in verdict.reviews]
    yield _Row(name=name, judged=verdict, notes=[*([said] if said else []), *decided])
    if len(verdict.outcomes) > 1:
        for outcome in verdict.outcomes:
            yield _Row(name=f"  {shown(outcome.metric)} {level(outcome.level)}", judged=outcome)


def _say_blocks(rows: Sequence[_Row], titles: Sequence[str]) -> None:
    for row in rows:
        ((name, pattern, *cells),) = _lines(row, steps, is_below=False)
        named = zip(titles[2:], cells, strict=False)
        items = [f"{title} {cell}" for title, cell in named if cell != _NONE]
        say_block(f"{name}  {pattern}", items, notes=row.notes)


def _lines(row: _Row, said: _Said, *, is_below: bool) -> list[tuple[str, ...]]:
    """Return the cells of a row; where ``is_below``, of a second one, which has the intervals."""
    judged = row.judged
    is_open = isinstance(judged, Verdict) and judged.in_progress
    dates = [_date(judged, title) for title in DATES]
    head = (row.name, f"{judged.pattern}{' (in progress)' if is_open else ''}")
    delay = _delay_text(judged.delay, said)
    if not is_below:
        return [(*head, *(date_text(date, said) for date in dates), delay)]
    first = (*head, *(_NONE if date is None else said(date.step) for date in dates), delay)
    second = ("", "", *("" if date is None else _interval(date, said) for date in dates), "")
    return [first, second] if any(second) else [first]


def _date(judged: Verdict | CurveOutcome, title: str) -> Date | None:
    return None if title == "memorized" and isinstance(judged, CurveOutcome) else date_of(judged, title)


def _delay_text(delay: Delay | None, said: _Said) -> str:
    ratio = "" if delay is None or delay.ratio is None else f" (×{delay.ratio:.1f})"
    return _NONE if delay is None else f"{said(delay.steps)}{ratio}"


def date_text(date: Date | None, said: _Said = steps) -> str:
    """Return a date with its interval.

    >>> date_text(Date(step=1550, low=1525, high=1575)), date_text(None)
    ('1,550 [1,525, 1,575]', '–')
    """
    return _NONE if date is None else f"{said(date.step)} {_interval(date, said)}"


def _interval(date: Date, said: _Said) -> str:
    return f"[{said(date.low)}, {said(date.high)}]"

"""Regular expressions of a person's own, with named groups: ``step`` and the metrics."""

import re
from collections.abc import Iterator, Sequence

from grokscope.importing.readers.text.record import Record
from grokscope.importing.records import ImportingError

_STEP = "step"

EXAMPLE = "--pattern 'step (?P<step>\\d+): train loss (?P<train_loss>\\S+), val loss (?P<val_loss>\\S+)'"
"""What a pattern looks like."""


def compiled(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    r"""Return the patterns, checked.

    Raises:
        ImportingError: If one is no regular expression or names no step or no metric.

    >>> [sorted(p.groupindex) for p in compiled([r"step (?P<step>\d+): loss (?P<loss>\S+)"])]
    [['loss', 'step']]
    """
    found: list[re.Pattern[str]] = []
    for text in patterns:
        try:
            found.append(re.compile(text))
        except re.error as error:
            raise ImportingError(f"--pattern {text!r} is no regular expression: {error}") from error
        names = found[-1].groupindex.keys()
        if _STEP not in names or len(names) == 1:
            raise ImportingError(
                f"--pattern {text!r} names the groups {', '.join(names) or 'none'}; "
                "it needs (?P<step>…) and a group for each metric"
            )
    return found


def matched(line: str, expressions: Sequence[re.Pattern[str]]) -> Iterator[Record]:
    """Yield what the patterns find in a line."""
    for expression in expressions:
        for match in expression.finditer(line):
            groups = match.groupdict()
            step = number(groups.pop(_STEP))
            if step is not None:
                values = {name: value for name, text in groups.items() if (value := number(text)) is not None}
                yield Record(step=step, values=values)


def number(text: str | None) -> float | None:
    """Return the number in a text, with what may stand behind it in a sentence; else ``None``.

    >>> number("5,000.5,"), number("90.1%"), number("x")
    (5000.5, 90.1, None)
    """
    try:
        return None if text is None else float(text.strip().rstrip(",;:%)]}").replace(",", ""))
    except ValueError:
        return None

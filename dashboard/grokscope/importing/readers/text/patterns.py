"""Text logs, by regular expressions with named groups: ``step`` and the metrics."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, identity_of

_STEP = "step"
_STEPS = 2**63


def compiled(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    r"""Return the patterns, checked.

    Raises:
        ImportingError: If there is none, or one is no regular expression or names no step or no metric.

    >>> [sorted(p.groupindex) for p in compiled([r"step (?P<step>\d+): loss (?P<loss>\S+)"])]
    [['loss', 'step']]
    """
    if not patterns:
        raise ImportingError(
            "a text log needs --pattern with a group named step and one a metric, for instance "
            "--pattern 'step (?P<step>\\d+): train loss (?P<train_loss>\\S+), val loss (?P<val_loss>\\S+)'"
        )
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


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each file: what the patterns find in its lines, line by line."""
    expressions = compiled(source.patterns)
    for path in source.files:
        rows = [row for line in _lines(path, tally) for row in _found(line, expressions)]
        tally.points(len(rows))
        if not rows:
            raise ImportingError(
                f"no line of {path.name!r} matches --pattern; try it on one line of the file"
            )
        points = pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")
        where = path.relative_to(source.root).as_posix()
        identity = identity_of("text", "", points)
        yield Log(
            run=SourceRun(key=where, identity=identity, is_certain=False, name=path.stem, source=where),
            points=points,
        )


def _lines(path: Path, tally: Tally) -> Iterator[str]:
    most = tally.limits.record_bytes
    with path.open(encoding="utf-8", errors="replace") as file:
        while line := file.readline(most + 1):
            if len(line) > most:
                raise ImportingError(f"{path.name!r} has a line of more than {most:,} characters")
            yield line


def _found(line: str, expressions: Sequence[re.Pattern[str]]) -> Iterator[tuple[str, int, None, float]]:
    for expression in expressions:
        for match in expression.finditer(line):
            groups = match.groupdict()
            step = _number(groups.pop(_STEP))
            if step is None or not step.is_integer() or abs(step) >= _STEPS:
                continue
            for name, text in groups.items():
                if (value := _number(text)) is not None:
                    yield name, int(step), None, value


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text.strip().rstrip(",;:%").replace(",", ""))
    except ValueError:
        return None


FORMAT = LogFormat(
    kind=SourceKind.TEXT,
    shown="text logs with --pattern",
    recognises=lambda _path, _head: False,  # any file may be one: only who imports it can tell
    read=read,
)

"""Logs in files and folders, read the same way for every command, and what is said of what was left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from grokscope.cli.terminal import complain, progress, say, shown
from grokscope.importing import (
    FoundSource,
    Limits,
    Parsed,
    Skipped,
    SourceKind,
    compiled,
    find_source,
    parse_source,
)
from grokscope.importing.recognition import LINK, PACKED
from grokscope.schemas.runs.step_unit import IN_THOUSANDTHS

_SHOWN, _TOLD = 20, 3
_TABLES = (".csv", ".tsv")


def is_log_file(source: str) -> bool:
    """Say whether ``source`` names a file or a folder rather than a store.

    >>> is_log_file("curves.parquet"), is_log_file("sqlite:///runs.csv")
    (True, False)
    """
    return "://" not in source


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAs:
    """How a source is to be read.

    Attributes:
        kind: Logs of this kind only; ``None`` for every kind, told by its content.
        patterns: Regular expressions of text logs.
        step: The column or metric that counts the steps.
        limits: Caps.
    """

    kind: SourceKind | None = None
    patterns: Sequence[str] = ()
    step: str | None = None
    limits: Limits = field(default_factory=Limits)


def read_logs(source: str, read_as: ReadAs) -> tuple[FoundSource, Parsed]:
    """Return where the logs at ``source`` lie, and what they hold.

    Raises:
        ImportingError: If a pattern is wrong, or nothing can be read, with the reason in one sentence.
    """
    compiled(read_as.patterns)  # a wrong pattern is told before anything is read
    kind = read_as.kind or (SourceKind.TEXT if read_as.patterns else None)
    found = find_source(source, kind=kind, limits=read_as.limits)
    with progress(is_counted=False, transient=True) as bar:
        bar.add_task("reading", total=None)
        return found, parse_source(found, patterns=read_as.patterns, step=read_as.step, limits=read_as.limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPoints:
    """The points of logs, by runs whose ids a person can read.

    Attributes:
        points: ``POINT_SCHEMA``.
        names: Run -> what to call it.
        in_thousandths: Runs whose steps are fractions and are counted in thousandths.
        notes: Run -> what else is to be said of how it was read.
    """

    points: pl.DataFrame
    names: Mapping[str, str]
    in_thousandths: frozenset[str] = frozenset()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def named_points(parsed: Parsed) -> NamedPoints:
    """Return the points of logs; a run goes by the id that its log gives it, else by its name."""
    runs = [replace(run, name=_text(run.name), source=_text(run.source)) for run in parsed.runs]
    own = [_text(run.tags.get("run_id", run.name)) for run in runs]
    counts = Counter(own)
    ids = [
        f"{name} ({run.source})" if counts[name] > 1 else name for name, run in zip(own, runs, strict=True)
    ]
    twice = {name for name, count in Counter(ids).items() if count > 1}
    ids = [f"{name} #{run.key}" if name in twice else name for name, run in zip(ids, runs, strict=True)]
    of_run = dict(zip(ids, runs, strict=True))
    by_key = {run.key: name for name, run in of_run.items()}
    return NamedPoints(
        points=parsed.points.with_columns(pl.col("run_id").replace(by_key)),
        names={name: run.name if run.tags.get("run_id") == name else name for name, run in of_run.items()},
        in_thousandths=frozenset(name for name, run in of_run.items() if run.in_thousandths),
        notes={
            name: tuple(note for note in run.notes if note != IN_THOUSANDTHS) for name, run in of_run.items()
        },
    )


def _text(name: str) -> str:
    """Return a name that is text: of a file's, bytes that are none are written out."""
    return name.encode("utf-8", "backslashreplace").decode()


def say_skipped(skipped: Sequence[Skipped]) -> None:
    """Print what was left out: each error, each run that is there twice, and how many files are no logs."""
    errors = [one for one in skipped if one.is_error]
    for one in errors[:_SHOWN]:
        complain(f"skipped {one.path}: {one.reason}")
    if len(errors) > _SHOWN:
        complain(f"skipped {len(errors) - _SHOWN:,} more files that cannot be read")
    for one in [one for one in skipped if one.is_twice][:_SHOWN]:
        say(f"left out {shown(one.path)}: {shown(one.reason)}", err=True)
    others = [one for one in skipped if not one.is_error and not one.is_twice]
    # A table that is no log may have been meant as one, and so may a link or an archive; most JSON is not.
    meant: list[Skipped] = []
    for reason in (LINK, PACKED):
        meant += [one for one in others if one.reason == reason][:_TOLD]
    tables = [one for one in others if one not in meant and one.path.lower().endswith(_TABLES)]
    meant += tables[:_TOLD]
    for one in meant:
        say(f"left out {shown(one.path)}: {shown(one.reason)}", err=True)
    rest = len(others) - len(meant)
    if rest:
        say(f"{rest:,} other file{'' if rest == 1 else 's'} left out as no logs", err=True)

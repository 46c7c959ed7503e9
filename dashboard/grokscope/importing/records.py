"""What a reader of another tool's log gives: runs with their points, whatever the tool."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from grokscope.schemas import GrokscopeError

LOG_SCHEMA = pl.Schema(
    {"metric": pl.String(), "step": pl.Int64(), "time_ms": pl.Int64(), "value": pl.Float64()}
)
"""Points of one run in the order in which they were logged; ``time_ms`` is null where the source has none."""


class ImportingError(GrokscopeError):
    """A source that cannot be imported."""


class NotALogError(ImportingError):
    """A file that may well be whole, but is no log: a configuration, a table without steps.

    In a folder it is passed over; only where nothing else is there, it is what is wrong.
    """


def _nothing() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRun:
    """One run of a source.

    Attributes:
        key: Tells the runs of this source apart.
        identity: Digest that stays the same when the source is moved or grows. Runs that share it and lie at
            different places of one source are different runs, unless their identity is certain.
        is_certain: The tool gave the run an id of its own; otherwise the identity is read off its first
            points, and two runs that begin alike share it.
        name: What to call it.
        source: Where in the source it was found.
        experiment: The tool's project, if it has one.
        status: MLflow's word for how it ended; never ``RUNNING``, since nobody follows an imported log.
        params: Flat, as text.
        tags: Of the tool.
        notes: What is to be said of how it was read, a sentence each without a full stop.
        in_thousandths: Its steps are fractions, counted in thousandths.
        kind: Whose log it is; set where all kinds are read, not by a reader.
    """

    key: str
    identity: str
    is_certain: bool
    name: str
    source: str
    experiment: str | None = None
    status: str = "FINISHED"
    params: Mapping[str, str] = field(default_factory=_nothing)
    tags: Mapping[str, str] = field(default_factory=_nothing)
    notes: tuple[str, ...] = ()
    in_thousandths: bool = False
    kind: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON takes; see ``run_from``."""
        return asdict(self)


def run_from(told: Mapping[str, Any]) -> SourceRun:
    """Return the run that ``SourceRun.to_dict`` told, through JSON.

    >>> run = SourceRun(key="a", identity="0", is_certain=False, name="a", source="a.csv", notes=("odd",))
    >>> run_from({**run.to_dict(), "notes": ["odd"]}) == run
    True
    """
    known: dict[str, Any] = {**told, "notes": tuple(told["notes"])}  # JSON has no tuples
    return SourceRun(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A run and its points as ``LOG_SCHEMA``."""

    run: SourceRun
    points: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A part of a source that was not imported.

    Attributes:
        path: Where it lies in the source.
        reason: Why, as a sentence.
        is_error: It should have been a log, but cannot be read; otherwise it is no log, or is there twice.
        is_twice: It is a log of a run that another one has been taken for.
    """

    path: str
    reason: str
    is_error: bool
    is_twice: bool = False


def digest(*parts: object) -> str:
    """Return 32 hex digits that tell ``parts`` apart.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    text = "\0".join(f"{len(str(part))}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def identity_of(kind: str, name: str, points: pl.DataFrame) -> str:
    """Return the identity of a run that has no id: its name in the source, if any, and its first points.

    Later points do not change it, so a source that has grown is known again.

    >>> frame = pl.DataFrame({"metric": ["a", "a"], "step": [0, 1], "value": [0.5, 0.6]})
    >>> identity_of("table", "", frame) == identity_of("table", "", frame.head(1))
    True
    """
    first = points.filter(pl.col("step") == pl.col("step").min()).unique(["metric"], keep="last")
    rows = first.select("metric", "step", "value").sort("metric").rows()
    return digest(kind, name, *rows)

"""Results of lm-evaluation-harness: a JSON file a checkpoint, whose step is in a name on the way to it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number, object_in, top_keys
from grokscope.importing.records import LOG_SCHEMA, Log, NotALogError, SourceRun, identity_of

_STEP = re.compile(
    r"(?P<lead>^|[-_./=,])(?:global[-_]?step|steps?|checkpoint|ckpt|iteration|iter|revision=step)[-_=]?"
    r"(?P<step>\d{1,15})(?P<scale>[km])?(?![a-z0-9])(?:-tokens\d+[a-z]?)?",
    re.IGNORECASE,
)
_SCALES = {"": 1, "k": 1000, "m": 1_000_000}
_RESULTS = re.compile(r"results?(?:[-_.].*)?", re.IGNORECASE)
_BESIDE = frozenset({"versions", "config", "configs", "n-shot", "higher_is_better", "group_subtasks", "date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """The scores of one checkpoint.

    Attributes:
        path: Its file.
        run: What is left of the way to it without its step.
        step: Of the checkpoint; ``None`` if nothing tells it.
        date: When it was evaluated, in seconds, if the file says it.
        scores: Metric -> value.
    """

    path: Path
    run: str
    step: int | None
    date: float
    scores: Mapping[str, float]


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield a run for all checkpoints of a model, with a curve a task and metric.

    Raises:
        NotALogError: If no file tells its step.
    """
    results: list[_Result] = []
    for path in source.files:
        with tally.skipping(path):
            results.append(_result(path, source.root, tally))
    lacking = [result.path.name for result in results if result.step is None]
    runs: dict[str, list[_Result]] = {}
    for result in sorted(results, key=lambda one: (one.step or 0, one.date)):
        if result.step is not None:
            runs.setdefault(result.run, []).append(result)
    if not runs and lacking:
        raise NotALogError(
            f"{lacking[0]!r} holds results of a model, but no name on the way to it tells the step; "
            "call its folder or the file step1000 or checkpoint-1000"
        )
    for name, found in runs.items():
        yield _log(name, found, source.root, tally, lacking=lacking)


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return all results together: the files of a run may lie in folders of their own."""
    return [tuple(files)] if files else []


def _log(name: str, found: Sequence[_Result], root: Path, tally: Tally, *, lacking: Sequence[str]) -> Log:
    rows = {
        (metric, result.step): (tally.name(metric), result.step, _ms(result.date), value)
        for result in found
        for metric, value in result.scores.items()
    }
    tally.points(len(rows))
    points = pl.DataFrame(list(rows.values()), schema=LOG_SCHEMA, orient="row")
    where = found[0].path.relative_to(root).as_posix()
    left = [f"{len(lacking):,} results tell no step and are left out"] if lacking else []
    run = SourceRun(
        key=f"{where}#{name}",
        identity=identity_of("lm-eval", name, points),
        is_certain=False,
        name=tally.name(name or root.absolute().name),
        source=where,
        notes=(f"its steps are those in the names of {len(found):,} results", *left),
    )
    return Log(run=run, points=points)


def _ms(date: float) -> int | None:
    return int(date * 1000) if 0 < date < 1e11 else None  # noqa: PLR2004 - in seconds


def _result(path: Path, root: Path, tally: Tally) -> _Result:
    members = object_in(path, tally)
    scores = dict(_scores(members.get("results")))
    if not scores:
        raise NotALogError(f"{path.name!r} has no scores in its results")
    step, run = _told_by(path.relative_to(root) if path.parent != root else Path(root.name, path.name))
    if step is None and (revision := _STEP.search(json.dumps(members.get("config"))[:100_000])):
        step = _number(revision)
    return _Result(path=path, run=run, step=step, date=number(members.get("date")) or 0.0, scores=scores)


def _scores(results: Any) -> Iterator[tuple[str, float]]:
    """Yield ``task/metric`` and value; the filter of an answer is told where it is not the usual one."""
    for task, cell in cast("dict[str, Any]", results).items() if isinstance(results, dict) else ():
        for metric, value in cast("dict[str, Any]", cell).items() if isinstance(cell, dict) else ():
            name, _, answer = metric.partition(",")
            score = number(value)
            if score is not None:
                yield f"{task}/{name}{'' if answer in ('', 'none') else f'_{answer}'}", score


def _told_by(way: Path) -> tuple[int | None, str]:
    """Return the step that a path tells, and the path without it; the nearest to the file tells it."""
    parts = [*way.parts[:-1], way.stem]
    step: int | None = None
    for place in reversed(range(len(parts))):
        if (match := _STEP.search(parts[place])) is not None:
            step = _number(match)
            parts[place] = f"{parts[place][: match.start()]}{parts[place][match.end() :]}".strip("-_.=")
            break
    if _RESULTS.fullmatch(parts[-1]):
        del parts[-1]
    return step, "/".join(filter(None, parts))


def _number(match: re.Match[str]) -> int:
    return int(match["step"]) * _SCALES[(match["scale"] or "").lower()]


def _is_result(path: Path, head: bytes) -> bool:
    if path.suffix.lower() != ".json" or b'"results"' not in head:
        return False
    keys = set(top_keys(head))
    return "results" in keys and (bool(keys & _BESIDE) or _RESULTS.fullmatch(path.stem) is not None)


FORMAT = LogFormat(
    kind=SourceKind.LM_EVAL,
    shown="results of lm-evaluation-harness with their step in a name",
    recognises=_is_result,
    read=read,
    grouped=grouped,
)

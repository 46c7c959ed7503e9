"""``monitor.csv`` of Stable-Baselines3: an episode a row, a file an environment."""

import csv
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number, text_number
from grokscope.importing.readers.naming import named_by
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, NotALogError, SourceRun, identity_of
from grokscope.importing.surroundings.folders import run_name

_HEADER = re.compile(rb'#\s*\{.*"t_start"')
_NUMBERED = re.compile(r"\d+(?:\.\d+)*\.monitor")
_OWN = ("r", "l", "t")
_NAMES = {"r": "rollout/episode_reward", "l": "rollout/episode_length"}
_MOST_SECONDS, _MOST_STEPS = 1e13, 2.0**31


@dataclass(frozen=True, slots=True, kw_only=True)
class _Monitor:
    """The episodes of one environment.

    Attributes:
        env: What the environment is called, if the file says it.
        episodes: When each ended in seconds, how many steps it took, and its values.
        bad: Rows that are none.
    """

    env: str | None
    episodes: list[tuple[float, int, dict[str, float]]]
    bad: int


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each group of files: episodes in the order in which they ended, steps cumulated.

    Raises:
        NotALogError: If no episode ended.
    """
    for files in grouped(source.files):
        monitors: list[_Monitor] = []
        for path in files:
            with tally.skipping(path):
                monitors.append(_monitor(path, tally))
        episodes = [one for monitor in monitors for one in monitor.episodes]
        if monitors and not episodes:
            raise NotALogError("no episode of it has ended")
        if episodes:
            yield _log(files, monitors, source.root, tally)


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files of the environments that were trained in side by side together."""
    return grouped_by(lambda path: path.parent if _NUMBERED.fullmatch(path.stem) else path, files)


def _log(files: Sequence[Path], monitors: Sequence[_Monitor], root: Path, tally: Tally) -> Log:
    episodes = sorted((one for monitor in monitors for one in monitor.episodes), key=lambda one: one[0])
    rows: list[tuple[str, int, int | None, float]] = []
    step = 0
    for time, length, values in episodes:
        step += length
        time_ms = int(time * 1000) if abs(time) < _MOST_SECONDS else None
        rows += [(tally.name(name), step, time_ms, value) for name, value in values.items()]
    points = pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")
    where = files[0].relative_to(root).as_posix()
    notes = [f"an episode each of {len(monitors):,} environments, in the order in which they ended"]
    bad = sum(monitor.bad for monitor in monitors)
    envs = {monitor.env for monitor in monitors if monitor.env}
    several = len(files) > 1
    return Log(
        run=SourceRun(
            key=where,
            identity=identity_of("monitor", "" if several else files[0].stem, points),
            is_certain=False,
            name=tally.name(run_name(files[0].parent, root) if several else named_by(files[0], root)),
            source=where,
            params={"env_id": ", ".join(sorted(envs))} if envs else {},
            notes=(
                "its steps are those of the episodes, counted together",
                *(notes if several else ()),
                *([f"{bad:,} of its rows are no episodes and left out"] if bad else ()),
            ),
        ),
        points=points,
    )


def _monitor(path: Path, tally: Tally) -> _Monitor:
    episodes: list[tuple[float, int, dict[str, float]]] = []
    bad = count = 0
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        start, env = _told(file.readline(tally.limits.record_bytes), path)
        rows = csv.reader(file)
        names = next(rows, list[str]())
        if not set(_OWN) <= set(names):
            raise ImportingError(f"{path.name!r} has the columns {names[:8]}; a monitor has r, l and t")
        tally.metrics(len(names))
        for cells in rows:
            row = {name: text_number(cell) for name, cell in zip(names, cells, strict=False)}
            length, time = row.get("l"), row.get("t")
            if length is None or time is None or not 0 < length < _MOST_STEPS or not math.isfinite(time):
                bad += bool(cells) and cells != names
                continue
            own = {
                _NAMES.get(name, name): value
                for name, value in row.items()
                if name != "t" and value is not None
            }
            episodes.append((start + time, int(length), own))
            count += len(own)
            if count > tally.limits.points:
                break
    tally.points(count)
    return _Monitor(env=env, episodes=episodes, bad=bad)


def _told(header: str, path: Path) -> tuple[float, str | None]:
    """Return when the environment was made, in seconds, and what it is called."""
    try:
        content: Any = json.loads(header.lstrip("# "))
    except (ValueError, RecursionError) as error:
        raise ImportingError(f"{path.name!r} begins with a header that is not whole: {error}") from error
    members = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    start, env = number(members.get("t_start")), members.get("env_id")
    is_usable = start is not None and abs(start) < _MOST_SECONDS
    return start if start is not None and is_usable else 0.0, str(env) if env not in (None, "None") else None


FORMAT = LogFormat(
    kind=SourceKind.MONITOR,
    shown="monitor.csv of Stable-Baselines3",
    recognises=lambda path, head: path.suffix.lower() == ".csv" and _HEADER.match(head) is not None,
    read=read,
    grouped=grouped,
)

"""One training logged by several tools at once: told by its values, and taken from one of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import PurePosixPath

import polars as pl

from grokscope.importing.formats import SourceKind
from grokscope.importing.records import Log, Skipped
from grokscope.schemas.runs.table_params import UNIT_METRICS

_SHARED = 0.8
"""Of the values of the shorter log, how many the longer one must have at the same steps."""

_FEWEST = 3
_SAMPLE = 1000
_COMPARISONS = 50
_BESIDE = 2
"""How far up what lies beside a log is looked for: ``results`` may lie beside ``runs/seed-1``."""


def without_texts_beside(logs: Sequence[Log]) -> tuple[list[Log], list[Skipped]]:
    """Return logs without the texts that lie beside, around or within those of a tool, and what was left out.

    What a program prints is what it logs, rounded, and often at other steps.

    Args:
        logs: Of one source.
    """
    homes = {PurePosixPath(log.run.source).parent for log in logs if log.run.kind != SourceKind.TEXT}
    around = {folder for home in homes for folder in (home, *home.parents)}
    top = PurePosixPath()
    within = homes - {top}
    kept: list[Log] = []
    skipped: list[Skipped] = []
    for log in logs:
        folder = PurePosixPath(log.run.source).parent
        is_beside = folder in around or not within.isdisjoint(folder.parents)
        if log.run.kind == SourceKind.TEXT and is_beside:
            reason = "is text beside the logs of a tool, which tell more; to take it, say --kind text"
            skipped.append(Skipped(path=log.run.source, reason=reason, is_error=False, is_twice=True))
        else:
            kept.append(log)
    return kept, skipped


def without_duplicates(logs: Sequence[Log]) -> tuple[list[Log], list[Skipped]]:
    """Return logs of which no two are one training written by two tools, and what was left out for it.

    Hugging Face's Trainer writes the same values into its checkpoints, TensorBoard and W&B; Lightning into
    TensorBoard and a table. Two logs of different kinds are one run if they have the same values at the same
    steps, up to single precision. Whole numbers tell nothing, as every run has them. Of two, the one with
    more settings is taken, then the one with an id of its own. Each is compared with those that lie nearest.

    Args:
        logs: Of one source.
    """
    order = sorted(range(len(logs)), key=lambda i: _richness(logs[i]), reverse=True)
    near = _Near(logs)

    @cache
    def values(i: int) -> pl.Series:
        return _values(logs[i])

    kept: set[int] = set()
    skipped: list[Skipped] = []
    for i in order:
        richer = islice((j for j in near.to(i) if j in kept), _COMPARISONS)
        same = next((j for j in richer if _is_same(values(i), values(j))), None)
        if same is None:
            kept.add(i)
        else:
            skipped.append(_skipped(logs[i], logs[same]))
    return [log for i, log in enumerate(logs) if i in kept], skipped


class _Near:
    """Finds the logs of other kinds that lie near one: in its folder, above, below, then beside it."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self._logs = logs
        self._homes = [_home(log) for log in logs]
        # By kind, as a folder may hold thousands of runs of the kind that is asked for.
        self._in: dict[tuple[PurePosixPath, str], list[int]] = defaultdict(list)
        self._below: dict[tuple[PurePosixPath, str], list[int]] = defaultdict(list)
        for i, (log, home) in enumerate(zip(logs, self._homes, strict=True)):
            self._in[home, log.run.kind].append(i)
            for folder in home.parents:
                self._below[folder, log.run.kind].append(i)

    def to(self, i: int) -> Iterator[int]:
        home = self._homes[i]
        places = [(self._in, folder) for folder in (home, *home.parents)]
        places[1:1] = [(self._below, home)]
        places += [(self._below, folder) for folder in [*home.parents][:_BESIDE]]
        for place, folder in places:
            for kind in SourceKind:
                if kind != self._logs[i].run.kind:
                    yield from place.get((folder, kind), ())


def _home(log: Log) -> PurePosixPath:
    """Return the folder of a training: what a tool puts into a folder of its own lies in there."""
    place = PurePosixPath(log.run.source)
    folder = place if log.run.kind == SourceKind.TENSORBOARD else place.parent
    if "wandb" in folder.parts:
        return PurePosixPath(*folder.parts[: folder.parts.index("wandb")])
    return folder.parent if folder.name.startswith("checkpoint-") else folder


def _richness(log: Log) -> tuple[bool, bool, bool, int]:
    has_times = log.points["time_ms"].null_count() < log.points.height
    return bool(log.run.params), log.run.is_certain, has_times, log.points.height


def _values(log: Log) -> pl.Series:
    """Return a number for each place and value of a log; counts of what was spent are none of its own."""
    value, is_spent = pl.col("value"), pl.col("metric").is_in(UNIT_METRICS.values())
    telling = log.points.filter(value.is_finite() & (value != value.round()) & ~is_spent)
    return telling.select(pl.struct("step", value.cast(pl.Float32)).hash()).to_series().unique().sort()


def _is_same(one: pl.Series, other: pl.Series) -> bool:
    few, many = sorted((one, other), key=len)
    if len(few) < _FEWEST:
        return False
    return float(few.head(_SAMPLE).is_in(many.implode()).sum()) >= _SHARED * min(len(few), _SAMPLE)


def _skipped(log: Log, taken: Log) -> Skipped:
    last, ends = (max(one.points["step"].to_list()) for one in (log, taken))
    further = f"; it goes on from step {ends:,} to {last:,}" if last > ends else ""
    reason = f"is the same run as {taken.run.source} ({taken.run.kind}), which was taken{further}"
    return Skipped(path=log.run.source, reason=reason, is_error=False, is_twice=True)

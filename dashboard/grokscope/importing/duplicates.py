"""One training logged by several tools at once: told by its values, and taken from one of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import PurePosixPath

import polars as pl

from grokscope.importing.formats import SourceKind
from grokscope.importing.records import Log, Skipped

_SHARED = 0.8
"""Of the values of the shorter log, how many the longer one must have at the same steps."""

_FEWEST = 3
_SAMPLE = 1000
_COMPARISONS = 5000


def without_duplicates(logs: Sequence[Log]) -> tuple[list[Log], list[Skipped]]:
    """Return logs of which no two are one training written by two tools, and what was left out for it.

    Hugging Face's Trainer writes the same values into its checkpoints, TensorBoard and W&B; Lightning into
    TensorBoard and a table. Two logs of different kinds are one run if one lies in the other's folder, or
    below it, and has the same values at the same steps, up to single precision. Whole numbers tell nothing,
    as every run has them. Of two, the one with more settings is taken, then the one with an id of its own.

    Args:
        logs: Of one source.
    """
    related = _related(logs)
    order = sorted(range(len(logs)), key=lambda i: _richness(logs[i]), reverse=True)

    @cache
    def values(i: int) -> pl.Series:
        return _values(logs[i])

    kept: set[int] = set()
    skipped: list[Skipped] = []
    comparisons = 0
    for i in order:
        richer = [j for j in related[i] if j in kept][: _COMPARISONS - comparisons]
        comparisons += len(richer)
        same = next((j for j in richer if _is_same(values(i), values(j))), None)
        if same is None:
            kept.add(i)
        else:
            skipped.append(_skipped(logs[i], logs[same]))
    return [log for i, log in enumerate(logs) if i in kept], skipped


def _related(logs: Sequence[Log]) -> dict[int, list[int]]:
    """Return for each log those of other kinds whose folder is its own, or above or below it."""
    homes: dict[PurePosixPath, list[int]] = defaultdict(list)
    for i, log in enumerate(logs):
        homes[_home(log)].append(i)
    related: dict[int, list[int]] = defaultdict(list)
    for i, log in enumerate(logs):
        for j in _at_or_above(_home(log), homes):
            if logs[j].run.kind != log.run.kind:
                related[i].append(j)
                related[j].append(i)
    return related


def _at_or_above(home: PurePosixPath, homes: dict[PurePosixPath, list[int]]) -> Iterator[int]:
    for folder in (home, *home.parents):
        yield from homes.get(folder, ())


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
    """Return a number for each place and value of a log."""
    value = pl.col("value")
    telling = log.points.filter(value.is_finite() & (value != value.round()))
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
    return Skipped(path=log.run.source, reason=reason, is_error=False)

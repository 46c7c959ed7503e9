"""AllenNLP's ``metrics_epoch_N.json``: a file an epoch, which together are one run."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number, numbers_in, object_in
from grokscope.importing.records import LOG_SCHEMA, Log, NotALogError, SourceRun, identity_of
from grokscope.importing.surroundings.folders import run_name

_EPOCH = re.compile(r"metrics_epoch_(?P<epoch>\d{1,9})\.json")
_FINAL = "metrics.json"
_NO_CURVES = re.compile(r"best_.*|peak_.*|epoch|(?:training_)?(?:start_epoch|epochs|duration)")
_TEST = "test_"


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each folder; its steps are epochs. The scores of the test set stand at the best one.

    Raises:
        NotALogError: If no epoch has a score.
    """
    for files in grouped(source.files):
        rows: list[tuple[str, int, None, float]] = []
        notes = ["its steps are epochs"]
        for path in files:
            with tally.skipping(path):
                found = _rows(path, tally)
                rows += found
                if path.name == _FINAL and found:
                    notes.append("the scores of its test set are those of the best epoch")
        tally.points(len(rows))
        if not rows:
            raise NotALogError("its epochs have no scores")
        points = pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row").sort("step", maintain_order=True)
        first = next(filter(_is_epoch, files), files[0])
        where = first.relative_to(source.root).as_posix()
        yield Log(
            run=SourceRun(
                key=where,
                identity=identity_of("allennlp", "", points),
                is_certain=False,
                name=tally.name(run_name(files[0].parent, source.root)),
                source=where,
                notes=tuple(notes),
            ),
            points=points,
        )


def grouped(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files of each run together."""
    return grouped_by(lambda path: path.parent, files)


def _rows(path: Path, tally: Tally) -> list[tuple[str, int, None, float]]:
    content = object_in(path, tally)
    if path.name == _FINAL:
        best = number(content.get("best_epoch"))
        found = [pair for pair in numbers_in(content) if pair[0].startswith(_TEST)]
        return [] if best is None else [(tally.name(name), int(best), None, value) for name, value in found]
    match = _EPOCH.fullmatch(path.name)
    step = int(match["epoch"]) if match else 0
    return [
        (tally.name(name), step, None, value)
        for name, value in numbers_in(content)
        if not _NO_CURVES.fullmatch(name)
    ]


def _is_of_allennlp(path: Path, head: bytes) -> bool:
    if path.name == _FINAL:
        return b'"best_epoch"' in head and any(map(_is_epoch, path.parent.iterdir()))
    return _is_epoch(path)


def _is_epoch(path: Path) -> bool:
    return _EPOCH.fullmatch(path.name) is not None


FORMAT = LogFormat(
    kind=SourceKind.ALLENNLP,
    shown="AllenNLP's metrics_epoch_N.json",
    recognises=_is_of_allennlp,
    read=read,
    grouped=grouped,
)

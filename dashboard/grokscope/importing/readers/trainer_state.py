"""``trainer_state.json`` of Hugging Face's Trainer: the log that every checkpoint carries."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from grokscope.importing.formats import LogFormat, LogSource, SourceKind, grouped_by
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import numbers_in, object_in, top_keys
from grokscope.importing.records import ImportingError, Log, SourceRun, identity_of
from grokscope.importing.steps import counted_frame

HISTORY = "log_history"

_CHECKPOINT = re.compile(r"checkpoint-\d+")
_PARAMS = ("max_steps", "num_train_epochs", "train_batch_size", "logging_steps", "eval_steps", "save_steps")


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the runs of a training's folder: the newest checkpoint holds what those before it hold.

    A checkpoint that contradicts it is of another training into the same folder, and another run.
    """
    logs: list[Log] = []
    for path in source.files:
        taken = tally.taken
        with tally.skipping(path):
            logs.append(_log(path, source.root, tally))
        tally.taken = taken
    kept: list[Log] = []
    parts: dict[str, int] = defaultdict(int)
    for log in sorted(logs, key=_last_step, reverse=True):
        whole = next((one for one in kept if _is_part(log, one)), None)
        if whole is None:
            kept.append(log)
            tally.points(log.points.height)
        else:
            parts[whole.run.key] += 1
    for log in kept:
        count = parts[log.run.key]
        note = f"it is the newest of {count + 1} states of one training; the others are parts of it"
        yield replace(log, run=replace(log.run, notes=(*log.run.notes, note))) if count else log


def _last_step(log: Log) -> int:
    return max(log.points["step"].to_list(), default=-1)


def _is_part(log: Log, whole: Log) -> bool:
    """Say whether a log has nothing that the whole one lacks."""
    return (
        log.run.params == whole.run.params
        and log.points.join(
            whole.points, on=["metric", "step", "value"], how="anti", nulls_equal=True
        ).is_empty()
    )


def _log(path: Path, root: Path, tally: Tally) -> Log:
    state = _state(path, tally)
    rows: list[tuple[str, int | float, None, float]] = []
    for entry in cast("list[dict[str, Any]]", state[HISTORY]):
        step = _step(path, entry)
        rows.extend(
            (tally.name(name), step, None, value) for name, value in numbers_in(entry) if name != "step"
        )
    tally.points(len(rows))
    if not rows:
        raise ImportingError(f"{path.name!r} has an empty log_history; nothing was logged yet")
    points, whole = counted_frame(rows, where=path.name)
    where = path.relative_to(root).as_posix()
    run = SourceRun(
        key=where,
        identity=identity_of("transformers", str(state.get("max_steps")), points),
        is_certain=False,
        name=tally.name(_name(path, root)),
        source=where,
        params={name: str(state[name]) for name in _PARAMS if state.get(name) is not None},
        notes=whole.notes,
        in_thousandths=whole.in_thousandths,
    )
    return Log(run=run, points=points)


def _state(path: Path, tally: Tally) -> dict[str, Any]:
    content = object_in(path, tally)
    history: Any = content.get(HISTORY)
    if not isinstance(history, list) or not all(isinstance(e, dict) for e in cast("list[Any]", history)):
        raise ImportingError(f"{path.name!r} has no log_history, as a trainer_state.json has")
    return content


def _step(path: Path, entry: dict[str, Any]) -> int | float:
    step = entry.get("step")
    if not isinstance(step, int | float) or isinstance(step, bool) or not -(2**63) <= step < 2**63:
        raise ImportingError(f"{path.name!r} has an entry with the step {str(step)[:40]}, which is no number")
    return step


def _training(path: Path) -> Path:
    """Return the folder of the training that a state belongs to."""
    folder = path.absolute().parent
    return folder.parent if _CHECKPOINT.fullmatch(folder.name) else folder


def _name(path: Path, root: Path) -> str:
    folder, top = _training(path), root.absolute()
    below = folder.relative_to(top).as_posix() if folder.is_relative_to(top) else "."
    return (folder.name if below == "." else below) or path.stem


def _is_state(path: Path, head: bytes) -> bool:
    # The state that a trainer writes has its keys in order of the alphabet, all short before the history.
    return path.suffix.lower() == ".json" and (path.name == "trainer_state.json" or HISTORY in top_keys(head))


FORMAT = LogFormat(
    kind=SourceKind.TRANSFORMERS,
    shown="trainer_state.json",
    recognises=_is_state,
    read=read,
    grouped=partial(grouped_by, _training),
)

"""``trainer_state.json`` of Hugging Face's Trainer: the log that every checkpoint carries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import numbers_in, top_keys
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, identity_of

HISTORY = "log_history"

_CHECKPOINT = re.compile(r"checkpoint-\d+")
_PARAMS = ("max_steps", "num_train_epochs", "train_batch_size", "logging_steps", "eval_steps", "save_steps")


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each file; checkpoints of one training share its identity."""
    for path in source.files:
        state = _state(path, tally)
        rows: list[tuple[str, int, None, float]] = []
        for entry in cast("list[dict[str, Any]]", state["log_history"]):
            step = _step(path, entry)
            rows.extend(
                (tally.name(name), step, None, value) for name, value in numbers_in(entry) if name != "step"
            )
        tally.points(len(rows))
        points = pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row")
        where = path.relative_to(source.root).as_posix()
        run = SourceRun(
            key=where,
            identity=identity_of("transformers", str(state.get("max_steps")), points),
            is_certain=False,
            name=_name(path),
            source=where,
            params={name: str(state[name]) for name in _PARAMS if state.get(name) is not None},
        )
        yield Log(run=run, points=points)


def _state(path: Path, tally: Tally) -> dict[str, Any]:
    if path.stat().st_size > tally.limits.record_bytes:
        raise ImportingError(f"{path.name!r} has more than {tally.limits.record_bytes:,} bytes")
    try:
        state: Any = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ImportingError(f"{path.name!r} is not readable JSON ({error})") from error
    content = cast("dict[str, Any]", state) if isinstance(state, dict) else {}
    history: Any = content.get("log_history")
    if not isinstance(history, list) or not all(isinstance(e, dict) for e in cast("list[Any]", history)):
        raise ImportingError(f"{path.name!r} has no log_history, as a trainer_state.json has")
    return content


def _step(path: Path, entry: dict[str, Any]) -> int:
    step = entry.get("step")
    if not isinstance(step, int) or isinstance(step, bool) or not -(2**63) <= step < 2**63:
        raise ImportingError(f"{path.name!r} has an entry with the step {str(step)[:40]}, not a whole number")
    return step


def _name(path: Path) -> str:
    folder = path.absolute().parent
    return (folder.parent if _CHECKPOINT.fullmatch(folder.name) else folder).name or path.stem


def _is_state(path: Path, head: bytes) -> bool:
    # The state that a trainer writes has its keys in order of the alphabet, all short before the history.
    return path.suffix.lower() == ".json" and (path.name == "trainer_state.json" or HISTORY in top_keys(head))


FORMAT = LogFormat(kind=SourceKind.TRANSFORMERS, shown="trainer_state.json", recognises=_is_state, read=read)

"""What a spool says about its run besides points, made fit for MLflow, with what that changes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from grokscope.collectors.recording.ship.run_store import ENDS, Ending, Label
from grokscope.collectors.recording.spool import Meta
from grokscope.schemas.limits import EXPERIMENT_COLUMN_LENGTH, PARAM_LENGTH, RUN_NAME_LENGTH, TAG_LENGTH
from grokscope.schemas.names import plain_text

DEFAULT_EXPERIMENT = "Default"
_VALUE_LENGTH = {"param": PARAM_LENGTH, "tag": TAG_LENGTH}
_MOST_MS = 2**63 - 1


class Misfit(NamedTuple):
    """Something that MLflow does not take as it stands in the spool.

    Attributes:
        record: What stands there.
        why: What became of it.
    """

    record: Mapping[str, Any]
    why: str


class RunHeader(NamedTuple):
    """A run as MLflow takes it.

    Attributes:
        meta: The spool's, with an experiment, a name and a start that MLflow takes.
        labels: Its params and tags.
        misfits: What had to be changed.
    """

    meta: Meta
    labels: tuple[Label, ...]
    misfits: tuple[Misfit, ...]


def run_header(meta: Meta) -> RunHeader:
    """Return what MLflow takes of a run's description.

    >>> header = run_header(Meta(run_id="r", store="s", experiment="", name="n", params={"lr": "0.1"}))
    >>> header.meta.experiment, header.labels
    ('Default', (Label(kind='param', key='lr', value='0.1'),))
    >>> [misfit.why for misfit in header.misfits]
    ["MLflow takes no experiment without a name; the run is in 'Default'"]
    """
    misfits: list[Misfit] = []
    experiment = plain_text(meta.experiment)
    if not experiment:
        why = f"MLflow takes no experiment without a name; the run is in {DEFAULT_EXPERIMENT!r}"
        misfits.append(Misfit({"experiment": experiment}, why))
        experiment = DEFAULT_EXPERIMENT
    elif len(experiment) > EXPERIMENT_COLUMN_LENGTH:
        misfits.append(_cut({"experiment": experiment}, EXPERIMENT_COLUMN_LENGTH))
    name = plain_text(meta.name)
    if len(name) > RUN_NAME_LENGTH:
        misfits.append(_cut({"name": name}, RUN_NAME_LENGTH))
    labels: list[Label] = []
    for label in _labels(meta):
        length = _VALUE_LENGTH[label.kind]
        if len(label.value) > length:
            misfits.append(_cut(label._asdict(), length))
        labels.append(label._replace(value=label.value[:length]))
    fit = replace(
        meta,
        experiment=experiment[:EXPERIMENT_COLUMN_LENGTH],
        name=name[:RUN_NAME_LENGTH],
        start_ms=min(max(0, meta.start_ms), _MOST_MS),
    )
    return RunHeader(meta=fit, labels=tuple(labels), misfits=tuple(misfits))


def ending_of(content: Mapping[str, Any], *, attempt: int, last_ms: int) -> tuple[Ending, Misfit | None]:
    """Return how a run ended, and what stood there if that is no end.

    An end that nobody knows is FAILED: that the run went well is the one thing that it does not say.

    Args:
        content: The event that tells the end.
        attempt: Which attempt ended.
        last_ms: When its last point was logged, for an end without a time.

    >>> ending_of({"status": "finished", "time_ms": 9}, attempt=1, last_ms=5)
    (Ending(status='FINISHED', time_ms=9, attempt=1, dropped=0, damage='', failed='', withdrawn=False), None)
    >>> ending, misfit = ending_of({"status": "SUCCESS"}, attempt=1, last_ms=5)
    >>> ending.status, ending.time_ms, misfit.why
    ('FAILED', 5, "a run ends as FINISHED, FAILED or KILLED, not as 'SUCCESS'; it is stored as FAILED")
    """
    told, time_ms, dropped, failed = (
        content.get(name) for name in ("status", "time_ms", "dropped", "failed")
    )
    status = str(told).upper()
    misfit = None
    if status not in ENDS:
        status = "FAILED"
        why = f"a run ends as {', '.join(ENDS[:-1])} or {ENDS[-1]}, not as {told!r}; it is stored as {status}"
        misfit = Misfit({"event": "end", "status": told}, why)
    ending = Ending(
        status=status,
        time_ms=time_ms if isinstance(time_ms, int) and 0 <= time_ms <= _MOST_MS else last_ms,
        attempt=attempt,
        dropped=dropped if isinstance(dropped, int) else 0,
        failed=plain_text(failed) if isinstance(failed, str) else "",
        withdrawn=content.get("withdrawn") is True,
    )
    return ending, misfit


def _labels(meta: Meta) -> Iterator[Label]:
    for key, value in meta.params.items():
        yield Label("param", plain_text(key), plain_text(value))
    for key, value in meta.tags.items():
        yield Label("tag", plain_text(key), plain_text(value))


def _cut(record: Mapping[str, Any], length: int) -> Misfit:
    return Misfit(record, f"MLflow takes {length} characters of it, and keeps the first ones")

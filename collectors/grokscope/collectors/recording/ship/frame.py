"""What a spool says about its run besides points, made fit for MLflow; what that changes is told."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from grokscope.collectors.recording.ship.sink import ENDS, Ending, Label
from grokscope.collectors.recording.spool import Meta
from grokscope.schemas.names import plain_text

DEFAULT_EXPERIMENT = "Default"
# The columns of MLflow's tables; its checks allow an experiment's name of 500, which PostgreSQL then refuses.
_EXPERIMENT_LENGTH, _NAME_LENGTH = 256, 250
_VALUE_LENGTH = {"param": 6000, "tag": 8000}
_MOST_MS = 2**63 - 1


class Misfit(NamedTuple):
    """Something that MLflow does not take as it stands in the spool.

    Attributes:
        record: What stands there.
        why: What became of it.
    """

    record: Mapping[str, Any]
    why: str


class Frame(NamedTuple):
    """A run as MLflow takes it.

    Attributes:
        meta: The spool's, with an experiment, a name and a start that MLflow takes.
        labels: Its params and tags.
        misfits: What had to be changed.
    """

    meta: Meta
    labels: tuple[Label, ...]
    misfits: tuple[Misfit, ...]


def frame_of(meta: Meta) -> Frame:
    """Return what MLflow takes of a run's description.

    >>> frame = frame_of(Meta(run_id="r", store="s", experiment="", name="n", params={"lr": "0.1"}))
    >>> frame.meta.experiment, frame.labels
    ('Default', (Label(kind='param', key='lr', value='0.1'),))
    >>> [misfit.why for misfit in frame.misfits]
    ["MLflow takes no experiment without a name; the run is in 'Default'"]
    """
    misfits: list[Misfit] = []
    experiment = plain_text(meta.experiment)
    if not experiment:
        why = f"MLflow takes no experiment without a name; the run is in {DEFAULT_EXPERIMENT!r}"
        misfits.append(Misfit({"experiment": experiment}, why))
        experiment = DEFAULT_EXPERIMENT
    elif len(experiment) > _EXPERIMENT_LENGTH:
        misfits.append(_cut({"experiment": experiment}, _EXPERIMENT_LENGTH))
    name = plain_text(meta.name)
    if len(name) > _NAME_LENGTH:
        misfits.append(_cut({"name": name}, _NAME_LENGTH))
    labels: list[Label] = []
    for label in _labels(meta):
        length = _VALUE_LENGTH[label.kind]
        if len(label.value) > length:
            misfits.append(_cut(label._asdict(), length))
        labels.append(label._replace(value=label.value[:length]))
    fit = replace(
        meta,
        experiment=experiment[:_EXPERIMENT_LENGTH],
        name=name[:_NAME_LENGTH],
        start_ms=min(max(0, meta.start_ms), _MOST_MS),
    )
    return Frame(meta=fit, labels=tuple(labels), misfits=tuple(misfits))


def ending_of(content: Mapping[str, Any], *, attempt: int, last_ms: int) -> tuple[Ending, Misfit | None]:
    """Return how a run ended, and what stood there if that is no end.

    An end that nobody knows is FAILED: that the run went well is the one thing that it does not say.

    Args:
        content: The event that tells the end.
        attempt: Which attempt ended.
        last_ms: When its last point was logged, for an end without a time.

    >>> ending_of({"status": "finished", "time_ms": 9}, attempt=1, last_ms=5)
    (Ending(status='FINISHED', time_ms=9, attempt=1, dropped=0, damage=''), None)
    >>> ending, misfit = ending_of({"status": "SUCCESS"}, attempt=1, last_ms=5)
    >>> ending.status, ending.time_ms, misfit.why
    ('FAILED', 5, "a run ends as FINISHED, FAILED or KILLED, not as 'SUCCESS'; it is stored as FAILED")
    """
    told, time_ms, dropped = (content.get(name) for name in ("status", "time_ms", "dropped"))
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
    )
    return ending, misfit


def _labels(meta: Meta) -> Iterator[Label]:
    for key, value in meta.params.items():
        yield Label("param", plain_text(key), plain_text(value))
    for key, value in meta.tags.items():
        yield Label("tag", plain_text(key), plain_text(value))


def _cut(record: Mapping[str, Any], length: int) -> Misfit:
    return Misfit(record, f"MLflow takes {length} characters of it, and keeps the first ones")

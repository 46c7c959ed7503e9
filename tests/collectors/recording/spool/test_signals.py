"""A signal's handler that logs or closes runs in the middle of a record, and must not wait for its thread."""

import os
import signal
from types import SimpleNamespace

import pytest

from grokscope.collectors.recording.spool import SpoolWriter, read_spool, segment_files

END = {"event": "end", "status": "KILLED"}


@pytest.fixture
def at_write(monkeypatch):
    """Give a function that lets a handler run within ``os.write`` numbers so and so, before or after it."""

    def install(handler, *, before: tuple[int, ...] = (), after: tuple[int, ...] = ()) -> None:
        count = iter(range(10**6))

        def write(fd: int, data: bytes) -> int:
            number = next(count)
            if number in before:
                signal.raise_signal(signal.SIGUSR1)
            written = os.write(fd, data)
            if number in after:
                signal.raise_signal(signal.SIGUSR1)
            return written

        signal.signal(signal.SIGUSR1, lambda *_: handler())
        monkeypatch.setattr(segment_files, "os", SimpleNamespace(**(vars(os) | {"write": write})))

    old = signal.getsignal(signal.SIGUSR1)
    yield install
    signal.signal(signal.SIGUSR1, old)


def records(folder) -> list[tuple[int, tuple[str, ...], tuple[float, ...]] | str]:
    found = [read.record for read in read_spool(folder)]
    return [(r.step, r.keys, r.values) if hasattr(r, "step") else r.content["status"] for r in found]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("segment_bytes", [150, 10**6])
def test_what_a_handler_logs_is_kept_behind_the_record_it_interrupts(tmp_path, at_write, when, segment_bytes):
    writer = SpoolWriter(tmp_path, segment_bytes=segment_bytes)
    late = iter(range(100, 200))
    at_write(lambda: writer.points(next(late), 1000, {"other": 0.5, "m": 2.0}), **{when: tuple(range(9))})
    for step in range(6):
        writer.points(step, 1000, {"m": float(step)})
    writer.close(END)
    found = records(tmp_path)
    assert [record for record in found if record[0] in range(6)] == [
        (step, ("m",), (float(step),)) for step in range(6)
    ]
    logged = next(late) - 100
    assert [record for record in found if record[0] in range(100, 200)] == [
        (step, ("other", "m"), (0.5, 2.0)) for step in range(100, 100 + logged)
    ]
    assert writer.dropped == 0
    assert found[-1] == "KILLED"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_handler_that_closes_and_leaves_tells_the_end_and_loses_nothing_acknowledged(
    tmp_path, at_write, when
):
    writer = SpoolWriter(tmp_path)
    acknowledged = []

    def log() -> None:
        for step in range(9):
            writer.points(step, 1000, {"m": 1.0})
            acknowledged.append((step, ("m",), (1.0,)))

    def leave() -> None:
        writer.points(99, 1000, {"other": 0.5})
        assert writer.close(END)
        raise SystemExit(1)

    at_write(leave, **{when: (3,)})
    with pytest.raises(SystemExit):
        log()
    found = records(tmp_path)
    assert found[: len(acknowledged)] == acknowledged
    assert found[-2:] == [(99, ("other",), (0.5,)), "KILLED"]
    assert len(found) - len(acknowledged) - 2 == (when == "after")  # the record that was interrupted


def test_a_handler_that_closes_and_goes_back_leaves_nothing_behind_the_end(tmp_path, at_write):
    writer = SpoolWriter(tmp_path)
    at_write(lambda: writer.close(END), before=(1,))
    for step in range(3):
        writer.points(step, 1000, {"m": 1.0})
    assert records(tmp_path) == [(0, ("m",), (1.0,)), "KILLED"]
    assert writer.dropped == 2


def test_what_a_handler_logs_while_the_end_is_written_is_counted_and_does_not_stand_behind_it(
    tmp_path, at_write
):
    writer = SpoolWriter(tmp_path)
    writer.points(0, 1000, {"m": 1.0})
    at_write(lambda: writer.points(1, 1000, {"m": 1.0}), after=(0,))
    writer.close(END)
    assert records(tmp_path) == [(0, ("m",), (1.0,)), "KILLED"]
    assert writer.dropped == 1

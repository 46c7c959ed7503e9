"""Scalars on their way from a device: none is waited for, unless too many of them are held."""

import signal
from types import SimpleNamespace

import pytest
import torch

from grokscope.collectors.recording import device_values
from grokscope.collectors.recording.device_values import DeviceValues, HostCopy


def test_beyond_1024_steps_on_their_way_the_oldest_is_waited_for(monkeypatch):
    waited_or_not = []

    def never_there(tensor):
        place = len(waited_or_not)
        waited_or_not.append(False)
        return HostCopy(
            tensor=tensor, is_there=lambda: False, wait=lambda: waited_or_not.__setitem__(place, True)
        )

    monkeypatch.setattr(device_values, "start_copy", never_there)
    values = DeviceValues()
    for step in range(1024):
        values.put(step, 1000, {"m": torch.tensor(0.5)})
    assert values.arrived() == []
    values.put(1024, 1000, {"m": torch.tensor(0.5)})
    assert [one.step for one in values.arrived()] == [0]
    assert [step for step, is_waited in enumerate(waited_or_not) if is_waited] == [0]


@pytest.fixture
def logged(monkeypatch):
    """Give a function that logs three steps, of which the second is read as it is told."""

    def log(second) -> DeviceValues:
        reads = iter([lambda: [0.5], second, lambda: [0.5]])
        monkeypatch.setattr(
            device_values,
            "start_copy",
            lambda _: HostCopy(
                tensor=SimpleNamespace(tolist=next(reads)), is_there=lambda: True, wait=lambda: None
            ),
        )
        values = DeviceValues()
        for step in range(3):
            values.put(step, 1000, {"m": torch.tensor(0.5)})
        return values

    return log


def test_a_step_that_the_device_does_not_give_is_told_by_itself_and_costs_no_other(logged):
    def fail():
        raise RuntimeError("of the device")

    values = logged(fail)
    assert [one.step for one in values.arrived()] == [0]
    with pytest.raises(RuntimeError, match="of the device"):
        values.arrived()
    assert [one.step for one in values.arrived()] == [2]


@pytest.mark.parametrize("is_signal", [False, True])
def test_what_breaks_the_reading_off_costs_no_step(logged, is_signal):
    left = [RuntimeError("a time limit") if is_signal else ValueError("no device says that")]

    def interrupt(*_):
        raise left.pop()

    def read_at_second_try():
        if left:
            signal.raise_signal(signal.SIGUSR1) if is_signal else interrupt()
        return [0.5]

    values = logged(read_at_second_try)
    before = signal.signal(signal.SIGUSR1, interrupt)
    with pytest.raises(RuntimeError if is_signal else ValueError):
        values.arrived()
    signal.signal(signal.SIGUSR1, before)
    assert [one.step for one in values.arrived()] == [0, 1, 2]

"""Scalars on their way from a device: none is waited for, unless too many of them are held."""

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

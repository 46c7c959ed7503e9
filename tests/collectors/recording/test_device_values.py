"""Scalars on their way from a device: none is waited for, unless too many of them are held."""

import torch

from grokscope.collectors.recording import device_values
from grokscope.collectors.recording.device_values import DeviceValues


def test_beyond_1024_steps_on_their_way_the_oldest_is_waited_for(monkeypatch):
    waited = []

    def never_there(step, time_ms, keys, copy):
        return device_values._Waiting(
            step=step,
            time_ms=time_ms,
            keys=keys,
            copy=copy,
            is_there=lambda: False,
            wait=lambda: waited.append(step),
        )

    monkeypatch.setattr(device_values, "_start_copy", never_there)
    values = DeviceValues()
    for step in range(1024):
        values.put(step, 1000, {"m": torch.tensor(0.5)})
    assert values.arrived() == []
    values.put(1024, 1000, {"m": torch.tensor(0.5)})
    assert [one.step for one in values.arrived()] == [0]
    assert waited == [0]

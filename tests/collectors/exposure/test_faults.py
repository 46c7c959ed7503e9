"""Counting that goes wrong costs its counts alone."""

import torch
from torch import nn

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.testing import MemorySink


class ByName(nn.Linear):
    """Takes its inputs by a name that stands behind another one."""

    def forward(self, scale=None, *, inputs):
        return super().forward(inputs) * (1 if scale is None else scale)


def test_counts_that_cannot_be_told_stop_neither_a_log_nor_the_end(monkeypatch, capsys):
    sink = MemorySink()
    tracker = Tracker(experiment="e", sink=sink)
    tracker.seen(examples=4)
    monkeypatch.setattr(tracker.exposure, "counts", lambda _: 1 / 0)
    tracker.log(1, {"m": 1.0})
    tracker.close()
    assert (sink.status, sink.rows()[0]) == ("FINISHED", (1, "m", 1.0))
    assert "what training has seen was not logged" in capsys.readouterr().err


def test_flops_that_cannot_be_counted_are_said_once_and_are_no_failure(capsys):
    sink = MemorySink()
    with Tracker(ByName(4, 3), experiment="e", sink=sink, measuring=Measuring(defaults=False)) as tracker:
        for step in (1, 2):
            tracker.seen(examples=5)
            values = tracker.evaluate(
                step, train={"inputs": torch.zeros(6, 4), "labels": torch.arange(6) % 3}
            )
            assert "train/loss" in values
            assert "progress/flops" not in values
    said = capsys.readouterr().err
    assert said.count("progress/flops is not logged") == 1
    assert "failed" not in said

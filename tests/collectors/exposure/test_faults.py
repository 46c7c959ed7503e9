"""Counting that goes wrong costs its counts alone."""

from grokscope.collectors import Tracker
from grokscope.collectors.testing import MemorySink


def test_counts_that_cannot_be_told_stop_neither_a_log_nor_the_end(monkeypatch, capsys):
    sink = MemorySink()
    tracker = Tracker(experiment="e", sink=sink)
    tracker.seen(examples=4)
    monkeypatch.setattr(tracker.exposure, "counts", lambda _: 1 / 0)
    tracker.log(1, {"m": 1.0})
    tracker.close()
    assert (sink.status, sink.rows()[0]) == ("FINISHED", (1, "m", 1.0))
    assert "what training has seen was not logged" in capsys.readouterr().err

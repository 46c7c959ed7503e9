"""Whatever loops call a number, and whatever they name it: each value is kept under a name of its own."""

import decimal
import fractions
import signal
import threading

import numpy as np
import pytest
import torch
from mlflow.utils.validation import _validate_metric_name

from grokscope.collectors import Tracker
from grokscope.collectors.recording.scalar_buffer import ScalarBuffer
from grokscope.collectors.recording.spool import read_spool
from grokscope.collectors.testing import MemorySink
from grokscope.collectors.warning import Warnings

ODD = (
    "loss[0]", "loss(0)", "loss_0_", "🔥", "🚀", "..", "/", "", "a/../b", "a//b", "a/b", "a\nb", "a\tb",
    "a b", "x" * 300 + "y", "x" * 300 + "z", "\0", "\udcff", "日本語/損失", "é", "-a", ".a", " a", "a ",
)  # fmt: skip


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


def test_each_key_has_a_name_of_its_own_that_mlflow_takes(sink, capsys):
    tracker = Tracker(experiment="e", sink=sink)
    for step in range(2):
        tracker.log(step, {key: float(number) for number, key in enumerate(ODD)})
    first, second = (values for _, _, values in sink.records)
    assert list(first.values()) == list(map(float, range(len(ODD))))
    assert second == first
    for name in first:
        _validate_metric_name(name)
    assert {"loss_0_", "日本語/損失", "a/b", "é"} <= first.keys()
    assert "MLflow cannot take the name 'loss(0)'; logged as 'loss_0_-" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (np.float16(1.5), 1.5),
        (np.bool_(1), 1.0),
        (np.array([3.5]), 3.5),
        (np.array([[2]]), 2.0),
        (torch.tensor([[2.0]]), 2.0),
        (torch.tensor(True), 1.0),
        (torch.tensor(1.5, dtype=torch.bfloat16), 1.5),
        (torch.tensor(1.5).to(torch.float8_e4m3fn), 1.5),
        (2 * torch.ones((), requires_grad=True), 2.0),
        (decimal.Decimal("1.25"), 1.25),
        (fractions.Fraction(1, 4), 0.25),
        (2**70, 2.0**70),
    ],
    ids=repr,
)
def test_a_number_of_any_kind_is_kept(sink, value, number):
    Tracker(experiment="e", sink=sink).log(3, {"m": value})
    assert sink.rows() == [(3, "m", number)]


@pytest.mark.parametrize("value", [10**400, torch.tensor(1j), np.ones(2), np.array([]), "many"])
def test_what_is_no_real_number_is_left_out_and_counted(sink, value):
    with Tracker(experiment="e", sink=sink) as tracker:
        tracker.log(3, {"m": value})
    assert sink.rows() == [(3, "collector/dropped", 1.0)]


@pytest.mark.parametrize("step", [np.int64(7), np.uint8(7), np.array(7), torch.tensor(7), 7.0])
def test_a_whole_step_of_any_kind_is_a_step(sink, step):
    Tracker(experiment="e", sink=sink).log(step, {"m": 1.0})
    assert sink.rows() == [(7, "m", 1.0)]


def test_names_that_look_alike_once_stored_never_change_places():
    def stored(*given: str) -> dict[float, str]:
        sink = MemorySink()
        tracker = Tracker(experiment="e", sink=sink)
        for name in given:
            tracker.log(0, {name: float(ord(name[4]))})
        return {value: name for _, name, value in sink.rows()}

    assert stored("loss[a]", "loss(a)", "loss_a_") == stored("loss_a_", "loss(a)", "loss[a]")


def test_more_names_than_are_remembered_stay_what_they_were(sink):
    tracker = Tracker(experiment="e", sink=sink)
    tracker.log(0, {"loss(a)": 1.0, "loss[a]": 2.0})
    tracker.log(1, {f"many/{number}": 0.0 for number in range(10_001)})
    tracker.log(2, {"loss[a]": 2.0, "loss(a)": 1.0})
    first, _, last = (values for _, _, values in sink.records)
    assert first == last


def test_ten_thousand_names_are_remembered_and_one_more_begins_anew(sink):
    buffer = ScalarBuffer(sink, Warnings())
    buffer.add(0, {f"many/{number}": 0.0 for number in range(10_000)})
    assert len(buffer._names) == 10_000
    buffer.add(1, {"one/more": 0.0})
    assert list(buffer._names) == ["one/more"]


def test_threads_that_log_at_once_lose_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    with Tracker(experiment="e") as tracker:
        tracker._run.sink._writer._files.segment_bytes = 5000

        def log(number: int) -> None:
            for step in range(400):
                tracker.log(step, {f"thread/{number}": float(step), f"odd[{step % 7}]": torch.tensor(1.0)})

        threads = [threading.Thread(target=log, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [(k, r.record.step) for r in read_spool(tracker._run.sink.folder) for k in r.record.keys]
        tracker._run.sink.wait_shipped = lambda _: 0
    for number in range(4):
        assert [step for key, step in found if key == f"thread/{number}"] == list(range(400))
    assert len(found) == 2 * 4 * 400


def test_what_is_no_number_is_left_out_without_asking_for_every_handler(sink, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(signal, "getsignal", asked.append)
    Tracker(experiment="e", sink=sink).log(0, {"note": "text"})
    assert asked == []


def test_a_name_that_is_measured_and_logged_too_is_said_once_and_both_are_kept(sink, capsys):
    model, data = torch.nn.Linear(2, 2), (torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))
    with Tracker(model, experiment="e", sink=sink) as tracker:
        for step in range(3):
            tracker.log(step, {"train/loss": 9.0, "train/batch_loss": 9.0})
            tracker.log(step, tracker.evaluate(step, train=data))  # what was measured may be logged again
    said = capsys.readouterr().err
    assert said.count("'train/loss' is logged, and measured by evaluate too") == said.count("grokscope:") == 1
    assert [row[2] for row in sink.rows() if row[1] == "train/loss"].count(9.0) == 3

"""What a training loop may rely on: nothing of the tracker's reaches it, and all it logs is kept."""

import math
import os
import time

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Measuring, Tracker, TrackerError, at_steps, every
from grokscope.collectors.measures import default, default_arrays
from grokscope.collectors.testing import MemorySink
from grokscope.schemas import Tier, find_metric
from grokscope.schemas.names import stored_name


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


def blobs(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    targets = torch.arange(n) % 3
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(0)) + 3 * targets[:, None], targets


def train(steps: int, **tracking) -> tuple[nn.Module, list[float]]:
    """Train with dropout and batch norm, so that a change of mode or random state would show."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    tracker = Tracker(model, optimizer, **tracking) if tracking else None
    inputs, targets = blobs()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if tracker is not None:
            tracker.log(step, {"train/batch_loss": loss})
            if tracker.due(step):
                tracker.evaluate(step, train=(inputs, targets), test=(inputs[:30], targets[:30]))
    if tracker is not None:
        tracker.close()
    return model, losses


def test_training_is_bit_identical_with_and_without_the_tracker(sink):
    plain, plain_losses = train(12)
    tracked, tracked_losses = train(12, experiment="e", sink=sink, schedule=every(2))
    assert tracked_losses == plain_losses
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, tracked.state_dict()[name]), name
    assert tracked.training
    assert all(module.training for module in tracked.modules())


def test_an_evaluation_logs_only_metrics_of_the_table_and_all_families(sink):
    train(4, experiment="e", sink=sink, schedule=at_steps([3]), measuring=Measuring(examples_per_step=60))
    keys = {key for step, key, _ in sink.rows() if step == 3}
    unknown = {key for key in keys if find_metric(key) is None}
    assert unknown == set()
    families = {key.partition("/")[0] for key in keys}
    assert families == {
        "train", "test", "weights", "gradients", "updates", "representation", "progress", "collector",
    }  # fmt: skip


def test_evaluate_returns_what_it_logs(sink):
    model = nn.Linear(4, 3)
    tracker = Tracker(model, experiment="e", sink=sink)
    values = tracker.evaluate(5, train=blobs())
    assert sink.rows() == [(5, key, value) for key, value in values.items()]
    with torch.no_grad():
        inputs, targets = blobs()
        assert values["train/loss"] == pytest.approx(cross_entropy(model(inputs), targets).item(), rel=1e-6)


def test_costly_measures_keep_to_their_budget_and_curves_are_never_skipped(sink):
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink, measuring=Measuring(budget=0.0))
    first, second = (tracker.evaluate(step, train=blobs()) for step in (0, 1))
    gone = {key for key in first.keys() - second.keys() if not key.startswith("collector/")}
    assert gone == {key for key in first if (row := find_metric(key)) and row.tier is not Tier.FREE}
    assert first["collector/skipped"] == 0.0
    assert second["collector/skipped"] == sum(
        one.tier is not Tier.FREE for one in (*default(), *default_arrays())
    )
    assert second["collector/skipped/weight_spectra"] == 1.0


def test_a_measure_of_ones_own_is_one_function_and_one_line(sink):
    def zeros(context):
        return {"mine/zeros": sum((p == 0).sum() for p in context.model.parameters())}

    model = nn.Linear(4, 3)
    nn.init.zeros_(model.bias)
    tracker = Tracker(model, experiment="e", sink=sink, measures=[zeros])
    values = tracker.evaluate(0, train=blobs())
    assert values["mine/zeros"] == 3.0
    assert values["collector/seconds/zeros"] > 0.0


@pytest.mark.parametrize("broken", [lambda _: 1 / 0, lambda _: {"mine": torch.zeros(2)}, lambda _: 3])
def test_a_measure_that_fails_is_said_and_costs_only_itself(sink, capsys, broken):
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink, measures=[broken])
    assert "train/loss" in tracker.evaluate(0, train=blobs())
    assert "lambda could not be measured at step 0" in capsys.readouterr().err


def test_two_measures_of_one_name_are_refused(sink):
    with pytest.raises(TrackerError, match="two instruments are called 'lambda'"):
        Tracker(nn.Linear(4, 3), experiment="e", sink=sink, measures=[lambda _: {}, lambda _: {}])


def test_without_the_defaults_only_tier_0_is_read(sink):
    how = Measuring(defaults=False)
    values = Tracker(nn.Linear(4, 3), experiment="e", sink=sink, measuring=how).evaluate(0, train=blobs())
    assert {row.tier for key in values if (row := find_metric(key))} == {Tier.FREE}


def test_targets_of_padding_are_left_out(sink):
    inputs, targets = blobs()
    padded = targets.clone()
    padded[10:] = -100
    model = nn.Linear(4, 3)
    tracker = Tracker(model, experiment="e", sink=sink, measuring=Measuring(ignore_index=-100))
    values = tracker.evaluate(0, train=(inputs, padded), test=(inputs[:10], targets[:10]))
    assert values["train/loss"] == values["test/loss"]


def test_a_split_of_any_name_is_given_as_a_mapping(sink):
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink)
    assert "shift:rotated/accuracy" in tracker.evaluate(0, {"shift:rotated": blobs()})


def test_numbers_of_every_kind_become_floats(sink):
    tracker = Tracker(experiment="e", sink=sink)
    values = {"int": 3, "bool": True, "np": np.float32(0.5), "np0": np.array(2), "t": torch.tensor([1.5])}
    tracker.log(np.int64(4), values | {"nan": math.nan, "inf": -math.inf})
    assert sink.rows()[:5] == [
        (4, "int", 3.0),
        (4, "bool", 1.0),
        (4, "np", 0.5),
        (4, "np0", 2.0),
        (4, "t", 1.5),
    ]
    assert math.isnan(sink.rows()[5][2])
    assert sink.rows()[6] == (4, "inf", -math.inf)


def test_a_logged_tensor_keeps_the_value_it_had(sink):
    tracker = Tracker(experiment="e", sink=sink)
    running = torch.tensor(1.0)
    tracker.log(0, {"m": running})
    running += 1
    tracker.log(1, {"m": running})
    assert sink.rows() == [(0, "m", 1.0), (1, "m", 2.0)]


def test_what_is_no_number_is_left_out_with_one_warning(sink, capsys):
    tracker = Tracker(experiment="e", sink=sink)
    for step in range(3):
        tracker.log(step, {"good": 1.0, "text": "abc", "none": None, "many": torch.ones(2), "z": 1j})
    assert sink.rows() == [(0, "good", 1.0), (1, "good", 1.0), (2, "good", 1.0)]
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4
    assert said[0] == (
        "grokscope: 'text' must be a number or a tensor of one element, got str; it is left out. "
        "Training goes on."
    )


@pytest.mark.parametrize("step", [1.5, 2**63, None, "x", math.nan])
def test_a_step_that_is_none_is_refused_once_and_never_raised(sink, capsys, step):
    tracker = Tracker(experiment="e", sink=sink)
    tracker.log(step, {"m": 1.0})
    tracker.log(step, {"m": 1.0})
    assert sink.rows() == []
    assert capsys.readouterr().err.count("grokscope:") == 1


def test_a_name_that_mlflow_refuses_is_logged_under_an_allowed_one_of_its_own(sink, capsys):
    tracker = Tracker(experiment="e", sink=sink)
    tracker.log(0, {"loss[0]": 1.0, "a//b": 2.0})
    assert sink.rows() == [(0, stored_name("loss[0]"), 1.0), (0, stored_name("a//b"), 2.0)]
    assert "logged as 'loss_0_-" in capsys.readouterr().err


class BrokenSink(MemorySink):
    def points(self, step, time_ms, values):
        raise OSError(28, "No space left on device")


def test_a_failing_sink_never_stops_training_and_is_said_once(capsys):
    _, losses = train(6, experiment="e", sink=BrokenSink(), schedule=every(2))
    assert losses == train(6)[1]
    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert err.count("Training goes on") <= 4


def test_a_failing_measure_never_stops_training(sink, capsys):
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink)
    values = tracker.evaluate(0, train=(torch.zeros(5, 9), torch.zeros(5, dtype=torch.long)), test=blobs())
    assert {key.partition("/")[0] for key in values} >= {"test", "weights"}
    assert not any(key.startswith("train/") for key in values)
    assert "the split 'train' could not be measured at step 0 (RuntimeError" in capsys.readouterr().err


def test_evaluating_without_a_model_is_said_at_once(sink):
    tracker = Tracker(experiment="e", sink=sink)
    with pytest.raises(TrackerError, match=r"evaluate needs a model.*or measure yourself and call log"):
        tracker.evaluate(0, train=blobs())


def test_the_run_ends_as_the_block_does(sink):
    with Tracker(experiment="e", sink=sink):
        pass
    assert sink.status == "FINISHED"


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_an_error_in_the_block_goes_through_and_ends_the_run(sink, error, status):
    with pytest.raises(error), Tracker(experiment="e", sink=sink):
        raise error
    assert sink.status == status


def test_times_never_go_back_even_when_the_clock_does(sink, monkeypatch):
    tracker = Tracker(experiment="e", sink=sink)
    for now in (5_000, 2_000, 6_000):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now * 1_000_000)
        tracker.log(0, {"m": 1.0})
    times = [time_ms for _, time_ms, _ in sink.records]
    assert times == sorted(times)


def test_a_forked_child_logs_nothing_and_does_not_end_the_run(sink):
    tracker = Tracker(experiment="e", sink=sink)
    child = os.fork()
    if child == 0:
        tracker.log(0, {"m": 1.0})
        tracker.close()
        os._exit(len(sink.records) + (sink.status is not None))
    assert os.waitpid(child, 0)[1] == 0


def test_a_detector_is_fed_every_evaluation_and_its_failure_is_contained(sink, capsys):
    seen = []

    class Detector:
        status = None

        def update(self, step, values):
            seen.append((step, values["train/accuracy"]))
            if step == 1:
                raise RuntimeError("detector")
            return ()

    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink, detector=Detector())
    for step in range(3):
        tracker.evaluate(step, train=blobs())
    assert [step for step, _ in seen] == [0, 1, 2]
    assert "detector" in capsys.readouterr().err

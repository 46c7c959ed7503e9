"""Which steps are due, and that the optimizer step that led to one is the one that is measured."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker, every, log_spaced
from grokscope.collectors.testing import MemorySink

ORDERS = (
    "step, evaluate",
    "step, log, evaluate",
    "log, step, evaluate",
    "evaluate, step",
    "evaluate, log, step",
)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("start", [0, 1002])
def test_the_update_that_led_to_a_due_step_is_measured_in_every_order_of_the_loop(order, start):
    """Whether a loop evaluates before or after its optimizer step, the last update is the one reported."""
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tracker = Tracker(model, optimizer, experiment="e", sink=MemorySink(), schedule=every(4))
    inputs, targets = torch.randn(60, 4), torch.arange(60) % 3
    ratios, found = [], {}

    def make(_) -> None:
        before = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        optimizer.zero_grad()
        cross_entropy(model(inputs), targets).backward()
        optimizer.step()
        after = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        ratios.append(((after - before).norm() / before.norm()).item())

    def evaluate(step: int) -> None:
        assert [tracker.due(asked) for asked in (8, 3, step, step)] == [True, False, *[step % 4 == 0] * 2]
        if tracker.due(step):
            values = tracker.evaluate(step, train=(inputs, targets))
            found[step] = values.get("updates/ratio"), ratios[-1] if ratios else None

    parts = {"step": make, "evaluate": evaluate, "log": lambda step: tracker.log(step, {"m": 1.0})}
    for step in range(start, start + 11):
        for part in order.split(", "):
            parts[part](step)
    assert len(found) >= 2
    is_first_known = start == 0 or "log" in order
    for got, made in [*found.values()][not is_first_known :]:
        assert got == (made if made is None else pytest.approx(made, rel=1e-5))


def test_thirty_two_log_spaced_steps_a_decade_from_a_hundred_on():
    due = log_spaced()
    assert sum(due(step) for step in range(100, 1000)) == 32
    assert all(due(step) for step in range(12))


@pytest.mark.parametrize("make", [log_spaced, every])
def test_a_schedule_without_steps_is_refused(make):
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        make(0)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            [*range(938), 0, 1, 2, *range(938)],
            "went back from 937 to 0: count optimizer steps over the whole",
        ),
        ([1, 2, 3, 1, 2, 3], "went back from 3 to 1"),
        ([0, 1, 0, 2], ""),
        ([0, *range(500, 900), 600, 601], ""),
        ([100, 200, 150, 160], ""),
    ],
)
def test_steps_that_begin_anew_are_said_once_and_those_of_an_earlier_state_are_not(capsys, steps, said):
    tracker = Tracker(experiment="e", sink=MemorySink())
    for step in steps:
        tracker.log(step, {"m": 1.0})
    err = capsys.readouterr().err
    assert said in err
    assert err.count("went back") == bool(said)


def test_values_that_are_counted_otherwise_or_not_at_all_are_no_steps_that_begin_anew(capsys):
    tracker = Tracker(experiment="e", sink=MemorySink())
    for epoch in range(3):
        for step in range(100 * epoch, 100 * (epoch + 1)):
            tracker.log(step, {"train/batch_loss": 1.0})
        tracker.log(epoch, {"val/loss": 1.0})
    tracker.log(0, {"final/accuracy": 1.0})
    assert "went back" not in capsys.readouterr().err

"""What readings may cost: the default schedule is thinned by halving, the user's own never."""

import pytest
import torch
from torch import nn

from grokscope.collectors import Tracker, every, log_spaced
from grokscope.collectors.evaluating.costs import thinning
from grokscope.collectors.evaluating.costs.thinning import PER_DECADE, ThinnedSchedule
from grokscope.collectors.testing import MemorySink


def train(steps, *, reading, step=1.0, given=None, start=0, evaluate=None):
    """Return the steps read by a run of made-up seconds, its schedule, and what was said."""
    now, spent, said, read = [0.0], 0.0, [], []
    schedule = ThinnedSchedule(given, warn=said.append, clock=lambda: now[0])
    for number in range(start, start + steps):
        now[0] += step
        if (evaluate or schedule.is_due)(number):
            spent += reading
            now[0] += reading
            read.append(number)
            schedule.read(number, spent=spent)
    return read, schedule, said


def share_of(read, *, reading, steps=10_000):
    return len(read) * reading / (len(read) * reading + steps)


@pytest.mark.parametrize(("reading", "per_decade"), [(2.0, 32), (7.0, 16), (12.0, 8), (100.0, 8)])
def test_readings_are_thinned_by_halving_until_they_take_a_twentieth_of_the_time(reading, per_decade):
    read, schedule, said = train(10_000, reading=reading)
    assert [step for step in range(100, 10_000) if schedule.is_due(step)] == [
        step for step in range(100, 10_000) if log_spaced(per_decade)(step)
    ]
    assert len(said) == (per_decade < 32)
    assert reading == 100 or share_of(read, reading=reading) < 0.055
    if said:
        assert f"on {per_decade} a decade are due" in said[0]
        assert f"a reading {reading:.2g} s, a step 1 s" in said[0]


def test_steps_of_a_thinner_schedule_are_among_those_of_every_denser_one():
    due = [{step for step in range(50_000) if log_spaced(p)(step)} for p in PER_DECADE]
    assert due[2] < due[1] < due[0]


def test_thinning_changes_no_answer_about_earlier_steps_and_asking_changes_none():
    read, schedule, _ = train(2000, reading=20.0)
    assert [step for step in range(2000) if schedule.is_due(step)] == read
    assert [schedule.is_due(step) for step in (57, 3, 57)] == [schedule.is_due(s) for s in (57, 3, 57)]


@pytest.mark.parametrize("reading", [2.0, 7.0, 12.0])
def test_a_run_that_is_gone_on_with_is_thinned_as_far_as_before(reading):
    _, whole, _ = train(10_000, reading=reading)
    _, resumed, _ = train(5000, reading=reading, start=5000)
    later = range(9000, 20_000)
    assert [step for step in later if resumed.is_due(step)] == [step for step in later if whole.is_due(step)]


def test_one_slow_reading_and_runs_of_seconds_thin_nothing():
    now, spent, said = [0.0], 0.0, []
    schedule = ThinnedSchedule(None, warn=said.append, clock=lambda: now[0])
    for number in range(300):
        now[0] += 1.0
        if schedule.is_due(number):
            spent += 3600.0 if number == 100 else 0.5  # a laptop that was shut
            now[0] += 3600.0 if number == 100 else 0.5
            schedule.read(number, spent=spent)
    assert said == []
    read, _, said = train(2500, reading=0.03, step=0.001)
    assert said == []
    assert read == [step for step in range(2500) if log_spaced()(step)]


def test_a_schedule_of_the_users_is_never_thinned_and_its_cost_is_said_once():
    read, _, said = train(3000, reading=1.0, given=every(10))
    assert read == list(range(0, 3000, 10))
    (sentence,) = said
    assert sentence.startswith("readings have taken 9.1% of the run's time since the first one")
    assert train(3000, reading=0.4, given=every(10))[2] == []


def test_readings_at_other_steps_than_the_schedules_are_not_thinned_but_said():
    read, schedule, said = train(3000, reading=1.0, evaluate=every(10))
    assert len(read) == 300
    assert [step for step in range(3000) if schedule.is_due(step)] == [
        step for step in range(3000) if log_spaced()(step)
    ]
    assert [sentence[:26] for sentence in said] == ["readings have taken 9.1% o"]


def test_nothing_is_thinned_where_several_processes_must_agree(monkeypatch):
    monkeypatch.setattr(thinning, "is_one_of_several", lambda: True)
    read, _, said = train(3000, reading=20.0)
    assert read == [step for step in range(3000) if log_spaced()(step)]
    assert len(said) == 1


def test_a_tracker_thins_its_own_schedule_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(thinning, "_FREE_SECONDS", -1.0)
    monkeypatch.setattr(thinning, "MOST_SHARE", 0.0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    read = []
    with Tracker(model, optimizer, experiment="e", sink=MemorySink()) as tracker:
        for step in range(60):
            model(torch.ones(6, 4)).sum().backward()
            optimizer.step()
            if tracker.due(step):
                read.append(step)
                assert "updates/ratio" in tracker.evaluate(
                    step, train=(torch.ones(6, 4), torch.arange(6) % 3)
                )
    assert read == [step for step in range(60) if step < 4 or log_spaced(8)(step)]
    assert capsys.readouterr().err.count("so from step 4 on 8 a decade are due") == 1

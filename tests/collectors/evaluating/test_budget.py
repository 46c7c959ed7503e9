"""What costly measures may take: their share together, fairly parted."""

import random
from types import SimpleNamespace

import pytest
from torch import nn

from grokscope.collectors import Measuring
from grokscope.collectors.evaluating import model_evaluator
from grokscope.collectors.evaluating.costs.budget import Budget
from grokscope.collectors.evaluating.model_evaluator import ModelEvaluator


def simulate(
    costs: dict[str, float], *, share: float, seconds: float, every: float
) -> dict[str, list[float]]:
    """Return at which times each measure was read in a run that offers a reading ``every`` so often."""
    budget, times, now = Budget(), {name: [] for name in costs}, 0.0
    while now < seconds:
        for name in budget.allowed(list(costs), share=share, now=now):
            times[name].append(now)
            budget.spent({name: costs[name]}, now)
        now += every
    return times


def spent(times: dict[str, list[float]], costs: dict[str, float]) -> float:
    """Return what was spent after the first readings, which nobody can know the cost of."""
    return sum((len(times[name]) - 1) * cost for name, cost in costs.items())


@pytest.mark.parametrize("seed", range(20))
def test_all_together_keep_to_their_share(seed):
    draw = random.Random(seed)
    costs = {f"m{i}": 10 ** draw.uniform(-4, 0.5) for i in range(draw.randint(1, 12))}
    times = simulate(costs, share=0.02, seconds=2_000, every=draw.uniform(0.5, 20))
    assert spent(times, costs) <= 0.02 * 2_000


def test_a_dear_measure_is_read_again_however_many_cheap_ones_there_are():
    costs = {"costly": 1.0, **{f"cheap{i}": 1e-3 for i in range(10)}}
    times = simulate(costs, share=0.02, seconds=1_000, every=1.0)
    # The cheap ones ask for half of the share, so the costly one has the other half: once in 100 s.
    assert len(times["costly"]) == pytest.approx(1_000 * 0.01, abs=1)
    assert all(len(times[f"cheap{i}"]) == 1_000 for i in range(10))


def test_what_is_passed_over_is_counted_by_name():
    budget = Budget()
    assert budget.allowed(["a", "b"], share=0.0, now=0.0) == ["a", "b"]
    budget.spent({"a": 1.0, "b": 0.0}, now=1.0)
    assert budget.allowed(["a", "b"], share=0.0, now=2.0) == ["b"]
    assert (budget.skipped("a"), budget.skipped("b"), budget.skipped("unheard of")) == (1, 0, 0)


@pytest.mark.parametrize(
    ("own_seconds", "share"), [(0.0, 0.02), (1.0, 0.01), (1.5, 0.005), (1.6, 0.005), (50.0, 0.005)]
)
def test_costly_measures_have_what_the_free_ones_leave_and_at_least_a_quarter(
    monkeypatch, own_seconds, share
):
    clock = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(model_evaluator, "time", clock)
    evaluator = ModelEvaluator(
        nn.Linear(1, 1), None, is_due=lambda: False, measures=(), how=Measuring(budget=0.02), warn=print
    )
    clock.monotonic = lambda: 200.0
    evaluator._own_seconds = own_seconds
    assert evaluator._costly_share() == pytest.approx(share)

"""Measuring(at_most=...): long splits are read at a fixed part, and how far that may be off is told."""

import math

import pytest
import torch
from scipy.stats import binomtest
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.evaluating.splits.reading.items import item_of
from grokscope.collectors.evaluating.splits.reading.signature import PositionalInputs
from grokscope.collectors.evaluating.splits.reading.subset import drawn
from grokscope.collectors.measures.outputs.sampling import accuracy_interval, standard_error
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.collectors.testing import MemorySink

N, MOST = 400, 60
X = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
ONE = PositionalInputs(required=("x",))
DRAWN = drawn((X, Y), MOST, ONE)[0]
PLAIN = {
    "pair": lambda: (X, Y),
    "arrays": lambda: (X.numpy(), Y.numpy()),
    "dataset": lambda: TensorDataset(X, Y),
    "function": lambda: lambda: (X, Y),
    "loader": lambda: DataLoader(TensorDataset(X, Y), batch_size=7),
    "shuffling loader": lambda: DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True, drop_last=True),
}
STREAMS = {
    "batches": lambda: [(X[i : i + 7], Y[i : i + 7]) for i in range(0, N, 7)],
    "generator": lambda: iter([(X[i : i + 7], Y[i : i + 7]) for i in range(0, N, 7)]),
    "sampler": lambda: DataLoader(TensorDataset(X, Y), batch_size=7, sampler=SubsetRandomSampler(range(90))),
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Linear(4, 2)


def tracker(model, **options):
    how = Measuring(defaults=False, budget=1e9, **options)
    return Tracker(model, experiment="e", sink=MemorySink(), measuring=how)


@pytest.mark.parametrize("kind", PLAIN)
def test_examples_are_drawn_over_the_whole_and_the_same_each_time(kind, model, capsys):
    held = tracker(model, at_most=MOST)
    first, second = (held.evaluate(step, test=PLAIN[kind]()) for step in range(2))
    logits = model(DRAWN[0]).detach()
    right = (logits.argmax(1) == DRAWN[1]).sum().item()
    losses = cross_entropy(logits, DRAWN[1], reduction="none")
    interval = binomtest(right, MOST).proportion_ci(method="wilson")
    for values in (first, second):
        assert values["test/loss"] == pytest.approx(losses.mean().item(), rel=1e-5)
        assert values["test/examples"] == MOST
        assert values["test/accuracy_low"] == pytest.approx(interval.low, abs=1e-5)
        assert values["test/accuracy_high"] == pytest.approx(interval.high, abs=1e-5)
        assert values["test/loss_error"] == pytest.approx(losses.std().item() / math.sqrt(MOST), rel=1e-4)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"of the split 'test' {MOST} of {N} examples are read, drawn over all of them, the same" in error


@pytest.mark.parametrize("kind", STREAMS)
def test_of_what_has_no_numbers_the_first_examples_are_read_to_the_last_one_asked_for(kind, model, capsys):
    values = tracker(model, at_most=MOST).evaluate(0, test=STREAMS[kind]())
    assert values["test/examples"] == MOST
    if kind != "sampler":
        expected = cross_entropy(model(X[:MOST]), Y[:MOST]).item()
        assert values["test/loss"] == pytest.approx(expected, rel=1e-5)
    assert f"the first {MOST} examples are read" in capsys.readouterr().err


def test_a_split_that_is_not_longer_is_read_whole_without_an_interval(model, capsys):
    values = tracker(model, at_most=N).evaluate(0, test=(X, Y))
    whole = tracker(model).evaluate(0, test=(X, Y))
    assert values["test/examples"] == N
    scores = {key for key in values if key.startswith("test/")}
    assert scores == {key for key in whole if key.startswith("test/")} | {"test/examples"}
    assert all(values[key] == whole[key] for key in scores - {"test/examples"})
    assert capsys.readouterr().err == ""


def test_a_batch_by_name_keeps_its_names():
    named, of = drawn({"x": X, "y": Y}, MOST, ONE)
    item = item_of(named, ONE)
    assert of == N
    assert torch.equal(item.inputs["x"], DRAWN[0])
    assert torch.equal(item.targets, DRAWN[1])


def test_measures_that_run_the_model_themselves_see_the_same_part(model):
    def seen(context):
        return {"mine/rows": float(len(context.splits["test"][1]))}

    how = Measuring(defaults=False, budget=1e9, at_most=MOST)
    held = Tracker(model, experiment="e", sink=MemorySink(), measuring=how, measures=[seen])
    assert held.evaluate(0, test=(X, Y))["mine/rows"] == MOST


def test_nothing_is_drawn_from_the_random_numbers_of_training(model):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    tracker(model, at_most=MOST).evaluate(0, test=PLAIN["shuffling loader"](), train=(X, Y))
    assert torch.equal(torch.rand(3), expected)


def test_the_standard_error_counts_examples_not_their_targets():
    values = torch.tensor([1.0, 1.0, 3.0, 3.0, 2.0, 2.0])
    of_each = torch.tensor([0, 0, 1, 1, 2, 2])
    assert standard_error(values, examples=(of_each, 3)) == pytest.approx(standard_error(values[::2]).item())
    assert standard_error(values[:1]).isnan()


@pytest.mark.parametrize(("right", "n"), [(0, 7), (7, 7), (3, 7), (499, 1000)])
def test_the_interval_is_wilsons(right, n):
    low, high = accuracy_interval(torch.tensor(right / n, dtype=torch.float64), n)
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert (low.item(), high.item()) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("most", [0, -3])
def test_at_most_none_is_refused(most):
    with pytest.raises(TrackerError, match="at_most is more than 0"):
        Measuring(at_most=most)

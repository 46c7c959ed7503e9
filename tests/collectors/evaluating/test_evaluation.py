"""One forward pass over a split: shapes, sources of batches, representations, and what is refused."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.measures.outputs.curves import curve_measures
from grokscope.collectors.measures.representation.collapse import nc1

CLASSES = 5
X = torch.randn(24, 6, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24) % CLASSES


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, CLASSES))


def evaluate(model, data, **options):
    """Return what instruments read off one pass."""
    seen = forward_pass(model, data, **options)
    measures = curve_measures(seen.logits, seen.targets)
    if seen.features is not None:
        measures["nc1"] = nc1(seen.features, seen.targets, classes=seen.logits.shape[1])
    return measures


def values(measured):
    return {name: value.item() for name, value in measured.items()}


def expected(model, x=X, y=Y):
    model.eval()
    hidden = model[:-1](x).detach()
    measures = curve_measures(model[-1](hidden), y) | {"nc1": nc1(hidden, y, classes=CLASSES)}
    model.train()
    return values(measures)


def test_a_split_is_measured_in_evaluation_mode_with_the_input_of_the_last_layer(model):
    assert values(evaluate(model, (X, Y))) == expected(model)


@pytest.mark.parametrize("size", [1, 5, 24, 100])
def test_batches_change_nothing_but_rounding(model, size):
    loader = DataLoader(TensorDataset(X, Y), batch_size=size, shuffle=True)
    whole = pytest.approx(expected(model), rel=1e-4, abs=1e-6)
    assert values(evaluate(model, (X, Y), batch_size=size)) == whole
    assert values(evaluate(model, loader)) == whole
    assert values(evaluate(model, [(x, y) for x, y in loader])) == whole


def test_a_named_module_gives_the_representation_at_its_input(model):
    model.eval()
    hidden = model[0](X).detach()
    measured = evaluate(model, (X, Y), features="1")
    assert measured["nc1"].item() == nc1(hidden, Y, classes=CLASSES).item()


def test_without_a_linear_layer_of_the_right_width_there_is_no_nc1(model):
    bare = nn.Sequential(model[0], nn.Unflatten(1, (8, 1)), nn.Conv1d(8, CLASSES, 1), nn.Flatten())
    assert "nc1" not in evaluate(bare, (X, Y))


class Language(nn.Module):
    """Takes two inputs and answers with logits for every token, in an object as libraries do."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(9, 4), nn.Linear(4, CLASSES)
        self.pooled = nn.Linear(4, CLASSES)

    def forward(self, tokens, offset):
        return SimpleNamespace(logits=self.head(self.embedding(tokens) + offset.unsqueeze(-1)))


def language():
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 9, (4, 3), generator=generator)
    offset = torch.randn(4, 3, generator=generator)
    return Language(), (tokens, offset), torch.randint(0, CLASSES, (4, 3), generator=generator)


def test_sequences_are_flattened_to_one_row_a_token():
    model, (tokens, offset), targets = language()
    hidden = (model.embedding(tokens) + offset.unsqueeze(-1)).flatten(0, 1).detach()
    by_hand = curve_measures(model.head(hidden), targets.flatten())
    by_hand["nc1"] = nc1(hidden, targets.flatten(), classes=CLASSES)
    assert values(evaluate(model, ((tokens, offset), targets))) == pytest.approx(values(by_hand), rel=1e-5)


@pytest.mark.parametrize("padding", [-100, 3])
def test_ignored_targets_are_left_out_of_every_measure(padding):
    model, inputs, targets = language()
    targets[targets == padding] = 0
    targets[:, 2] = padding
    shorter = tuple(part[:, :2] for part in inputs), targets[:, :2]
    everything = evaluate(model, (inputs, targets), ignore_index=padding)
    assert values(everything) == pytest.approx(values(evaluate(model, shorter)), rel=1e-5)


def test_a_model_that_diverged_reads_nan_and_not_an_exception(model):
    nn.init.constant_(model[0].weight, math.nan)
    measured = values(evaluate(model, (X, Y)))
    assert measured["accuracy"] == 0.0
    assert {k for k, v in measured.items() if not math.isnan(v)} == {"accuracy", "mrr", "zero_loss_share"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_measured_as_they_are(model, dtype):
    measured = values(evaluate(model.to(dtype), (X.to(dtype), Y)))
    assert measured == expected(model, X.to(dtype))


def test_wrappers_of_parallel_and_compiled_models_are_looked_through(model):
    compiled = torch.compile(model, backend="eager")
    assert values(evaluate(nn.DataParallel(model), (X, Y))) == expected(model)
    assert values(evaluate(compiled, (X, Y))) == expected(model)


class Fickle(nn.Module):
    """Goes round its own head where the first entry is negative."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.head(x) if x[0, 0] > 0 else x @ self.head.weight.T


def test_a_representation_that_some_batches_lack_is_none():
    model, x = Fickle(), torch.ones(24, 6)
    assert "nc1" in evaluate(model, (x, Y), batch_size=12)
    x[12:] = -1
    assert "nc1" not in evaluate(model, (x, Y), batch_size=12)


class Broken(nn.Linear):
    def forward(self, x):
        return {"found": str(super().forward(x))}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "head"}, r"features='head' is no submodule of Sequential; it has '0', '1', '2', '3'"),
        ({"features": "3.weight"}, "is no submodule"),
        ({"ignore_index": None, "targets": Y + 1}, r"targets must lie in 0\.\.4.*got 1\.\.5"),
        ({"ignore_index": 2, "targets": torch.full((24,), 2)}, "at least one sample"),
        ({"targets": Y.view(12, 2)}, "same number of examples"),
        ({"targets": Y.view(24, 1).expand(24, 2)}, "one row of logits a target"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_unusable_arguments_are_refused(model, options, message):
    targets = options.pop("targets", Y)
    with pytest.raises(ValueError, match=message):
        evaluate(model, (X, targets), **options)


def test_a_named_module_must_be_called_and_give_one_row_a_target():
    model, inputs, targets = language()
    with pytest.raises(ValueError, match="features='pooled' took no tensor in the forward pass"):
        evaluate(model, (inputs, targets), features="pooled")
    with pytest.raises(ValueError, match=r"features='embedding' must take .* got \[4, 3\] for .* \[4, 3\]"):
        evaluate(model, (inputs, targets), features="embedding")


def test_a_model_that_returns_no_logits_is_refused():
    with pytest.raises(TypeError, match="must return logits, got dict; say where they are"):
        evaluate(Broken(6, CLASSES), (X, Y))

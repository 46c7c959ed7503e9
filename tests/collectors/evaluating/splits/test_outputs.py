"""Which outputs of a model are its logits, and which of their dimensions are the classes."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.measures import Subset, sharpness
from grokscope.collectors.testing import MemorySink

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(10, 4, generator=GENERATOR)
Y = torch.arange(10) % 3


@dataclass
class Output:
    scores: torch.Tensor
    loss: torch.Tensor


class Returning(nn.Module):
    """Returns its logits within something."""

    def __init__(self, within):
        super().__init__()
        self.head, self._within = nn.Linear(4, 3), within

    def forward(self, x):
        return self._within(self.head(x))


class Given(nn.Module):
    """Returns what it is given, whatever the inputs are."""

    def __init__(self, logits):
        super().__init__()
        self.weight, self._logits = nn.Parameter(torch.ones(1)), logits

    def forward(self, x):
        assert len(x) == len(self._logits)
        return self._logits * self.weight


def evaluated(model, data, measures=(), **options):
    how = Measuring(defaults=False, budget=1e9, **options)
    return Tracker(model, experiment="e", sink=MemorySink(), measures=measures, measuring=how).evaluate(
        0, train=data
    )


WITHIN = {
    "logits and loss": lambda z: (z, torch.tensor(0.5)),
    "loss and logits": lambda z: (torch.tensor(0.5), z),
    "logits and nothing": lambda z: [z, None],
    "logits and hidden states of another length": lambda z: (z, z.new_zeros(7, 9)),
    "logits and integers": lambda z: (z, z.argmax(-1, keepdim=True)),
    "a dict": lambda z: {"logits": z, "attention": z},
    "a dict with another name": lambda z: {"loss": z.sum(), "prediction": z},
    "an object": lambda z: SimpleNamespace(logits=z, loss=z.sum()),
    "an object with another name": lambda z: Output(scores=z, loss=z.sum()),
}


@pytest.mark.parametrize("within", WITHIN)
def test_logits_are_found_in_what_a_model_returns(within, capsys):
    model = Returning(WITHIN[within])
    values = evaluated(model, (X, Y), [sharpness(subset=Subset(split="train"))])
    assert values["train/loss"] == pytest.approx(cross_entropy(model.head(X), Y).item(), rel=1e-5)
    plain = evaluated(model.head, (X, Y), [sharpness(subset=Subset(split="train"))])
    about = [key for key in plain if key.startswith("curvature/")]
    assert [values[key] for key in about] == pytest.approx([plain[key] for key in about], rel=1e-3)
    assert about
    assert capsys.readouterr().err == ""


def test_outputs_that_fit_alike_are_told_by_a_function(capsys):
    model = Returning(lambda z: (z, 2 * z))
    assert "train/loss" not in evaluated(model, (X, Y))
    said = "more than one output of the model fits the targets: [0] of [10, 3], [1] of [10, 3]; say which are"
    assert said in capsys.readouterr().err
    values = evaluated(model, (X, Y), output=lambda found: found[1])
    assert values["train/loss"] == pytest.approx(cross_entropy(2 * model.head(X), Y).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        ((8, 5), (8,)),
        ((8, 7, 5), (8, 7)),
        ((8, 5, 7), (8, 7)),
        ((8, 5, 6, 7), (8, 6, 7)),
        ((8, 6, 7, 5), (8, 6, 7)),
    ],
)
def test_the_dimension_of_the_classes_is_told_by_the_shapes(outputs, targets):
    logits, y = torch.randn(outputs, generator=GENERATOR), torch.randint(0, 5, targets, generator=GENERATOR)
    values = evaluated(Given(logits), (torch.zeros(8), y))
    second = logits if logits.shape[1] == 5 else logits.movedim(-1, 1)
    assert values["train/loss"] == pytest.approx(cross_entropy(second, y).item(), rel=1e-5)
    right = second.argmax(1) == y
    assert values["train/accuracy"] == pytest.approx(right.float().mean().item())
    if len(targets) == 2:
        assert values["train/exact_match"] == right.all(1).float().mean().item()


def test_shapes_that_do_not_tell_it_are_refused_until_it_is_said(capsys):
    logits, y = torch.randn(8, 5, 5, generator=GENERATOR), torch.randint(0, 5, (8, 5), generator=GENERATOR)
    data = (torch.zeros(8), y)
    assert "train/loss" not in evaluated(Given(logits), data)
    error = capsys.readouterr().err
    assert "classes of outputs [8, 5, 5] with targets [8, 5] can be the last dimension or the second" in error
    last = evaluated(Given(logits), data, output=lambda found: found)["train/loss"]
    second = evaluated(Given(logits), data, output=lambda found: found.movedim(1, -1))["train/loss"]
    assert last == pytest.approx(cross_entropy(logits.movedim(-1, 1), y).item(), rel=1e-5)
    assert second == pytest.approx(cross_entropy(logits, y).item(), rel=1e-5)


@pytest.mark.parametrize("is_convolution", [True, False])
def test_the_layer_that_made_the_outputs_tells_it_where_shapes_do_not(is_convolution):
    x, y = torch.randn(6, 4, 4, generator=GENERATOR), torch.randint(0, 4, (6, 4), generator=GENERATOR)
    model = nn.Sequential(nn.Conv1d(4, 4, 1) if is_convolution else nn.Linear(4, 4))
    logits = model(x) if is_convolution else model(x).movedim(-1, 1)
    assert evaluated(model, (x, y))["train/loss"] == pytest.approx(cross_entropy(logits, y).item(), rel=1e-5)


def test_an_output_that_fits_no_target_is_refused(capsys):
    assert "train/loss" not in evaluated(
        nn.Linear(4, 3), (X.unsqueeze(1).expand(10, 6, 4), Y.view(10, 1).expand(10, 2))
    )
    assert (
        "got [10, 6, 3] and [10, 2]; let the model return one row of logits a target"
        in capsys.readouterr().err
    )


class Squeezing(nn.Module):
    """Loses the dimension of examples where a batch holds one."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        return self.layer(x).squeeze(0)


def test_a_last_batch_of_one_that_a_model_squeezes_is_told(capsys):
    assert "train/loss" not in evaluated(Squeezing(), [(X[:4], Y[:4]), (X[4:5], Y[4:5])])
    assert "got [3] and [1]; let the model return one row of logits a target" in capsys.readouterr().err

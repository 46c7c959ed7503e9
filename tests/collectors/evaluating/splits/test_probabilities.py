"""Models that return probabilities, frozen or not: their losses are those of torch for probabilities."""

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn.functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.measures import Subset
from grokscope.collectors.measures.subset import StepContext, take
from grokscope.collectors.testing import MemorySink

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(12, 4, generator=GENERATOR)
CLASSES = torch.arange(12) % 3
BITS = torch.tensor([0.0, 1.0, 1.0, 0.0] * 3)
LABELS = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]] * 3)
SHARES = torch.randn(12, 3, generator=GENERATOR).softmax(-1)


class Ending(nn.Module):
    """Ends in a function of a linear layer."""

    def __init__(self, end, width=3, *, is_frozen=True):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.layer = nn.Linear(4, width)
        self.end = end
        self.requires_grad_(not is_frozen)

    def forward(self, x):
        return self.end(self.layer(x))


def evaluated(model, targets, measures=(), **options):
    how = Measuring(defaults=False, budget=1e9, batch_size=5, **options)
    held = Tracker(model, experiment="e", sink=MemorySink(), measures=measures, measuring=how)
    values = held.evaluate(0, train=(X, targets))
    return {key[6:]: value for key, value in values.items() if key.startswith("train/")}


class OwnGradient(torch.autograd.Function):
    """A sigmoid, as people write who want another gradient."""

    @staticmethod
    def forward(context, z):
        return z.sigmoid()

    @staticmethod
    def backward(context, gradient):
        return gradient


SIGMOIDS = {
    "the function": torch.sigmoid,
    "a module": nn.Sigmoid(),
    "in place": lambda z: z.sigmoid_(),
    "limited": lambda z: z.sigmoid().clamp(1e-7, 1 - 1e-7),
    "of half precision": lambda z: z.half().sigmoid().float(),
    "of double precision": lambda z: z.double().sigmoid(),
    "by its logarithm": lambda z: nn.functional.logsigmoid(z).exp(),
    "a function with a gradient of its own": OwnGradient.apply,
}


@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("targets", [BITS, LABELS], ids=["one", "several"])
@pytest.mark.parametrize("kind", SIGMOIDS)
def test_outputs_of_a_sigmoid_are_scored_as_probabilities(kind, targets, is_frozen, capsys):
    is_one = targets.ndim == 1
    end = SIGMOIDS[kind]
    model = Ending(lambda z: end(z).squeeze(-1), 1 if is_one else 3, is_frozen=is_frozen)
    p = model(X).detach().float()
    values = evaluated(model, targets)
    assert values["loss"] == pytest.approx(binary_cross_entropy(p, targets).item(), rel=1e-5)
    assert values["auc"] == pytest.approx(roc_auc_score(targets, p, average="macro"), abs=1e-6)
    assert values["accuracy"] == pytest.approx(((p > 0.5) == (targets > 0)).float().mean().item())
    assert "last step is a sigmoid, so its outputs are taken for probabilities" in capsys.readouterr().err


def test_probabilities_that_are_rounded_to_one_have_a_finite_loss():
    model = Ending(lambda z: torch.sigmoid(1000 * z).squeeze(-1), 1)
    assert 0 < evaluated(model, BITS)["loss"] < 100


def broken(shares):
    """Return probabilities of three classes: each takes a share of what those before it leave."""
    first, second = shares[:, :1], shares[:, 1:]
    return torch.cat([first, (1 - first) * second, (1 - first) * (1 - second)], -1)


SOFTMAXES = {
    "a module": nn.Softmax(-1),
    "by its logarithm": lambda z: z.log_softmax(-1).exp(),
    "by hand": lambda z: z.exp() / z.exp().sum(-1, keepdim=True),
    "a mean of two": lambda z: (z.softmax(-1) + (2 * z).softmax(-1)) / 2,
    "of half precision": lambda z: z.bfloat16().softmax(-1).float(),
    "by sticks": lambda z: broken(z[:, :2].sigmoid()),
}


@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("kind", SOFTMAXES)
def test_rows_that_sum_to_one_are_probabilities_of_classes(kind, is_frozen, capsys):
    model = Ending(SOFTMAXES[kind], is_frozen=is_frozen)
    p = model(X).detach()
    values = evaluated(model, CLASSES)
    rounding = 1e-2 if "half" in kind else 1e-5
    assert values["loss"] == pytest.approx(nll_loss(p.log(), CLASSES).item(), rel=rounding)
    assert values["accuracy"] == pytest.approx((p.argmax(1) == CLASSES).float().mean().item())
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (
        "never negative and sum to 1, so they are taken for probabilities, and their logarithms for" in error
    )


def test_shares_of_classes_are_scored_by_probabilities_too():
    model = Ending(nn.Softmax(-1))
    expected = -(SHARES * model(X).log()).sum(1).mean().item()
    assert evaluated(model, SHARES)["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_class_that_is_given_no_probability_has_a_finite_loss():
    model = Ending(lambda z: (1000 * z).softmax(-1))
    assert 0 < evaluated(model, CLASSES)["loss"] < 100


def test_channels_of_images_that_sum_to_one_are_probabilities():
    model = Ending(lambda z: z.view(-1, 3, 2, 2).softmax(1), 12)
    targets = (torch.arange(48) % 3).view(12, 2, 2)
    expected = nll_loss(model(X).log(), targets).item()
    assert evaluated(model, targets)["loss"] == pytest.approx(expected, rel=1e-5)


def test_the_probability_of_one_of_two_classes_is_that_of_a_single_output():
    model = Ending(lambda z: z.softmax(-1)[:, 1], 2)
    expected = binary_cross_entropy(model(X), BITS).item()
    assert evaluated(model, BITS)["loss"] == pytest.approx(expected, rel=1e-5)


def test_measures_that_run_the_model_themselves_follow():
    seen = []

    def read(context: StepContext):
        taken = take(context, Subset())
        seen.append(taken.loss(taken.parameters).item())
        return {}

    for end, targets in ((nn.Softmax(-1), CLASSES), (nn.Sigmoid(), LABELS)):
        values = evaluated(Ending(end, is_frozen=False), targets, [read])
        assert seen.pop() == pytest.approx(values["loss"], rel=1e-5)


def test_it_is_said_once_for_all_splits_and_steps(capsys):
    held = Tracker(
        Ending(nn.Softmax(-1)), experiment="e", sink=MemorySink(), measuring=Measuring(defaults=False)
    )
    for step in range(2):
        held.evaluate(step, train=(X, CLASSES), test=(X, CLASSES))
    assert capsys.readouterr().err.count("\n") == 1


def near_half(model):
    """Let a layer return numbers near 0.5."""
    with torch.no_grad():
        model.layer.weight.mul_(0.1)
        model.layer.bias.fill_(0.5)
    return model


def test_logits_that_happen_to_lie_between_zero_and_one_stay_logits(capsys):
    model = near_half(Ending(lambda z: z.squeeze(-1), 1))
    expected = binary_cross_entropy_with_logits(model(X), BITS).item()
    assert evaluated(model, BITS)["loss"] == pytest.approx(expected, rel=1e-5)
    assert "[0, 1]" not in capsys.readouterr().err


def test_logits_of_a_linear_layer_that_happen_to_sum_to_one_stay_logits(capsys):
    model = Ending(nn.Identity())
    with torch.no_grad():
        model.layer.weight.zero_()
        model.layer.bias.copy_(torch.tensor([0.2, 0.3, 0.5]))
    expected = cross_entropy(model(X), CLASSES).item()
    assert evaluated(model, CLASSES)["loss"] == pytest.approx(expected, rel=1e-5)
    assert capsys.readouterr().err == ""


def test_where_outputs_in_zero_to_one_may_be_either_they_stay_and_that_is_said(capsys):
    model = Ending(lambda z: 1 / (1 + (-z).exp()).squeeze(-1), 1)
    p = model(X)
    assert evaluated(model, BITS)["loss"] == pytest.approx(
        binary_cross_entropy_with_logits(p, BITS).item(), rel=1e-5
    )
    said = "if they are probabilities, write Measuring(output=lambda found: found.logit())"
    assert said in capsys.readouterr().err
    values = evaluated(model, BITS, output=lambda found: found.logit())
    assert values["loss"] == pytest.approx(binary_cross_entropy(p, BITS).item(), rel=1e-5)


def test_of_a_sigmoid_and_class_indices_it_is_said_what_is_taken(capsys):
    model = Ending(nn.Sigmoid())
    p = model(X)
    assert evaluated(model, CLASSES)["loss"] == pytest.approx(cross_entropy(p, CLASSES).item(), rel=1e-5)
    assert "Measuring(loss='bce') takes each class by itself" in capsys.readouterr().err
    wanted = nn.functional.one_hot(CLASSES, 3).float()
    by_itself = evaluated(model, CLASSES, loss="bce")["loss"]
    assert by_itself == pytest.approx(binary_cross_entropy(p, wanted).item(), rel=1e-5)


@pytest.mark.parametrize("end", [nn.Softmax(-1), nn.Sigmoid()])
def test_a_loss_or_an_output_of_the_users_takes_outputs_as_they_are(end, capsys):
    model = Ending(end)
    p = model(X)
    wanted = nn.functional.one_hot(CLASSES, 3).float()
    brier = evaluated(model, CLASSES, loss="mse")["loss"]
    assert brier == pytest.approx(nn.functional.mse_loss(p, wanted).item(), rel=1e-5)
    own = evaluated(model, CLASSES, loss=lambda found, y: -found.log().gather(1, y[:, None]))
    assert own["loss"] == pytest.approx(nll_loss(p.log(), CLASSES).item(), rel=1e-5)
    told = evaluated(model, CLASSES, output=lambda found: found)["loss"]
    assert told == pytest.approx(cross_entropy(p, CLASSES).item(), rel=1e-5)
    assert capsys.readouterr().err == ""

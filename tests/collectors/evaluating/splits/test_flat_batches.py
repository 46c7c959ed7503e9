"""Tensors side by side in a batch: what the model takes tells the inputs from the targets and the rest."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.testing import MemorySink

GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(12, 5, 4, generator=GENERATOR)
A, B = torch.randn(2, 12, 4, generator=GENERATOR)
Y = torch.arange(12) % 3
TAGS = torch.arange(60).view(12, 5) % 3
TOKENS = torch.randint(1, 9, (12, 5), generator=GENERATOR)
MASK = (torch.arange(5) < torch.tensor([5, 4, 3, 2] * 3)[:, None]).long()


class Headed(nn.Module):
    """Has a layer that makes three logits of four numbers."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.head, self.embedding = nn.Linear(4, 3), nn.Embedding(9, 4)


class Siamese(Headed):
    def forward(self, left, right):
        return self.head(left - right)


class Three(Headed):
    def forward(self, a, b, c, /):
        return self.head(a * b - c)


class Scaled(Headed):
    def forward(self, x, scale=None):
        return self.head(x if scale is None else x * scale.view(len(x), -1))


class Flagged(Headed):
    def forward(self, x, is_short=False, *, scale=None):  # noqa: FBT002 - as people write it
        assert is_short is False
        return self.head(x)


class Compared(Headed):
    def forward(self, x, y):
        return self.head(x - y)


class Trained(Headed):
    """Gives its logits only beside targets."""

    def forward(self, x, targets=None, weight=None):
        assert weight is None
        return (self.head(x), None) if targets is not None else None


class Anything(Headed):
    def forward(self, *inputs):
        return self.head(sum(inputs))


class Steps(Headed):
    def forward(self, x, mask=None):
        return self.head(x if mask is None else x * mask.unsqueeze(-1))


class Tokens(Headed):
    def forward(self, tokens):
        return self.head(self.embedding(tokens).mean(1))


class Masked(Headed):
    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None):
        assert labels is None
        hidden = self.embedding(input_ids) * attention_mask.unsqueeze(-1)
        if token_type_ids is not None:
            hidden = hidden * (1 + token_type_ids.unsqueeze(-1)) + token_type_ids.unsqueeze(-1)
        return SimpleNamespace(logits=self.head(hidden.sum(1)))


def evaluated(model, data, **options):
    how = Measuring(defaults=False, **options)
    return Tracker(model, experiment="e", sink=MemorySink(), measuring=how).evaluate(0, train=data)


def expected(logits, targets=Y):
    return pytest.approx(cross_entropy(logits, targets).item(), rel=1e-5)


READINGS = {
    "two inputs": (Siamese, (A, B, Y), lambda m: m(A, B)),
    "two inputs, and what follows": (Siamese, (A, B, Y, torch.arange(12)), lambda m: m(A, B)),
    "two inputs in a tuple": (Siamese, ((A, B), Y), lambda m: m(A, B)),
    "two arrays": (Siamese, (A.numpy(), B.numpy(), Y.tolist()), lambda m: m(A, B)),
    "three inputs": (Three, (A, B, A, Y), lambda m: m(A, B, A)),
    "numbers of examples": (Tokens, (TOKENS, Y, torch.arange(12)), lambda m: m(TOKENS)),
    "names": (Siamese, (A, B, Y, [str(i) for i in range(12)]), lambda m: m(A, B)),
    "numbers, where more may be taken": (Scaled, (A, Y, 100 + torch.arange(12)), lambda m: m(A)),
    "a flag is no input": (Flagged, (A, Y, Y), lambda m: m(A)),
    "targets are no input": (Trained, (A, Y, Y), lambda m: m.head(A)),
    "anything, of which numbers are no class": (Anything, (A, Y, 100 + torch.arange(12)), lambda m: m(A)),
    "tokens, mask and classes": (Masked, (TOKENS, MASK, Y), lambda m: m(TOKENS, MASK).logits),
    "features, mask and tags": (Steps, (FEATURES, MASK, TAGS), lambda m: m(FEATURES, MASK)),
    "features and tags": (Steps, (FEATURES, TAGS, torch.arange(12)), lambda m: m(FEATURES)),
    "two texts": (
        Masked,
        (TOKENS, MASK, 1 - MASK, Y),
        lambda m: m(TOKENS, MASK, 1 - MASK).logits,
    ),
    "a mask of nothing": (Masked, (TOKENS, MASK | 1, Y), lambda m: m(TOKENS, MASK | 1).logits),
}


@pytest.mark.parametrize("size", [None, 5])
@pytest.mark.parametrize("kind", READINGS)
def test_as_many_tensors_are_inputs_as_the_model_must_get(kind, size, capsys):
    make, data, run = READINGS[kind]
    model = make()
    values = evaluated(model, data, batch_size=size)
    logits = run(model)
    targets = Y if logits.ndim == 2 else TAGS.flatten()
    assert values["train/loss"] == expected(logits.reshape(-1, 3), targets)
    assert capsys.readouterr().err == ""


def test_a_loader_and_a_drawn_part_are_read_as_the_whole_is():
    model, whole = Siamese(), TensorDataset(A, B, Y)
    loss = evaluated(model, (A, B, Y))["train/loss"]
    for data in (whole, DataLoader(whole, batch_size=5), [(A[:5], B[:5], Y[:5]), (A[5:], B[5:], Y[5:])]):
        assert evaluated(model, data)["train/loss"] == pytest.approx(loss, rel=1e-5)
    drawn = evaluated(model, (A, B, Y), at_most=7)["train/loss"]
    assert evaluated(model, whole, at_most=7)["train/loss"] == pytest.approx(drawn, rel=1e-5)
    assert drawn != pytest.approx(loss, rel=1e-3)


AMBIGUOUS = {
    "more may be taken, and both are classes": (Scaled, (A, Y, Y)),
    "more may be taken, and the second are none": (Scaled, (A, B, Y)),
    "targets or an input by name": (Compared, (A, B, Y)),
    "any number": (Anything, (A, B, Y)),
    "any mask or tags": (Steps, (FEATURES, TAGS % 2, TAGS)),
    "token types or classes": (Masked, (TOKENS, MASK, TAGS, Y)),
}


@pytest.mark.parametrize("options", [{}, {"at_most": 6}])
@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_what_can_be_read_in_several_ways_is_refused_with_the_remedy(kind, options, capsys):
    make, data = AMBIGUOUS[kind]
    assert "train/loss" not in evaluated(make(), DataLoader(TensorDataset(*data), batch_size=6), **options)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (
        "as inputs, so which are the targets cannot be told; let the split give (x, y) or ((a, b), y)"
        in error
    )
    model = Scaled()
    pairs = evaluated(model, lambda: ((x, y) for x, y, _ in [(A, Y, Y)]))
    assert pairs["train/loss"] == expected(model(A))


@pytest.mark.parametrize(
    ("make", "data", "said"),
    [
        (Siamese, (A, Y), "forward(left, right) takes 2 inputs, and a batch of float32 [12, 4], int64 [12]"),
        (Three, (A, B, Y), "forward(a, b, c) takes 3 inputs, and a batch of float32 [12, 4], float32 [12,"),
        (Tokens, (TOKENS, MASK, Y), "masks padding, and forward(tokens) takes none; let forward take it, or"),
    ],
)
def test_a_batch_that_leaves_no_targets_or_a_mask_that_nobody_takes_is_refused(make, data, said, capsys):
    assert "train/loss" not in evaluated(make(), data)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("rest", [torch.rand(12), torch.rand(12, 1)])
def test_weights_that_are_left_out_are_said(rest, capsys):
    model = Tokens()
    values = evaluated(model, (TOKENS, Y, rest), batch_size=5)
    assert values["train/loss"] == expected(model(TOKENS))
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "what follows the targets (float32 [5" in error
    assert "is left out, so every target counts, and all alike" in error


def test_a_mask_of_targets_that_is_left_out_is_said(capsys):
    class Tagger(Headed):
        def forward(self, tokens):
            return self.head(self.embedding(tokens))

    model, labels = Tagger(), TOKENS % 3
    values = evaluated(model, (TOKENS, labels, MASK.bool()))
    assert values["train/loss"] == expected(model(TOKENS).flatten(0, 1), labels.flatten())
    error = capsys.readouterr().err
    assert "(bool [12, 5]) is left out" in error
    assert "set class targets that do not count to -100" in error


def test_values_to_be_predicted_from_two_inputs_are_values():
    model = Siamese()
    wanted = torch.randn(12, 3, generator=GENERATOR)
    assert evaluated(model, (A, B, wanted))["train/loss"] == pytest.approx(
        mse_loss(model(A, B), wanted).item(), rel=1e-5
    )


class Joined(Headed):
    def forward(self, *parts):
        return self.head(torch.cat(parts, dim=1)[:, 2:6] if len(parts) == 2 else parts[0][:, :2])


def test_a_model_that_fails_on_fewer_inputs_than_it_takes_is_told_with_the_remedy(capsys):
    model = Joined()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    values = tracker.evaluate(0, train=(A, B, Y), test=((A, B), Y))
    assert "train/loss" not in values
    assert values["test/loss"] == pytest.approx(cross_entropy(model(A, B), Y).item())
    said = capsys.readouterr().err
    assert "the first 1 of float32 [12, 4], float32 [12, 4], int64 [12] were read as inputs, on which" in said
    assert "RuntimeError: mat1 and mat2" in said
    assert "let the split give ((a, b), y)" in said

"""What people hold as a split: each kind of data has the values of the same examples as a pair of tensors."""

from collections import UserDict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.testing import MemorySink

X = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(10) % 3


class Named(nn.Module):
    """Takes its inputs by name, as models of libraries do."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.head = nn.Linear(4, 3)

    def forward(self, input_ids, scale=None, *, shift=None, labels=None):
        assert labels is None
        hidden = input_ids if scale is None else input_ids * scale
        return {"logits": self.head(hidden if shift is None else hidden + shift)}


class Nested(Named):
    """Takes one dict, whatever it is called."""

    def forward(self, batch):
        return self.head(batch["image"]["pixels"])


def evaluated(model, data, **options):
    sink = MemorySink()
    tracker = Tracker(model, experiment="e", sink=sink, measuring=Measuring(defaults=False, **options))
    return tracker.evaluate(0, train=data)


def expected(model, x=X, y=Y):
    logits = model.head(x).detach()
    right = (logits.argmax(1) == y).float().mean().item()
    return {"train/loss": cross_entropy(logits, y).item(), "train/accuracy": right}


def scores(values):
    return {key: values[key] for key in ("train/loss", "train/accuracy")}


class Examples(Dataset):
    """A dataset without a loader, whose examples are of the kind that ``of`` makes."""

    def __init__(self, of):
        self._of = of

    def __len__(self):
        return len(Y)

    def __getitem__(self, index):
        return self._of(index)


class Rows:
    """A dataset that inherits from none, and does not tell that it can be iterated."""

    def __len__(self):
        return len(Y)

    def __getitem__(self, index):
        if index >= len(Y):
            raise IndexError
        return X[index], int(Y[index])


class Columns:
    """A table of columns with the methods that a dataset of Hugging Face's has."""

    column_names = ("input_ids", "label", "text")

    def __init__(self, make=list):
        self._make = make

    def with_format(self, kind):
        assert kind == "torch"
        return Columns(torch.as_tensor)

    def __len__(self):
        return len(Y)

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index):
        return {"input_ids": self._make(X[index].tolist()), "label": int(Y[index]), "text": "of no use"}


class Endless(IterableDataset):
    def __iter__(self):
        while True:
            yield X[0], Y[0]


def in_dicts(start, end):
    return {"input_ids": X[start:end], "labels": Y[start:end], "names": ["of", "no", "use"]}


KINDS = {
    "a pair": lambda: (X, Y),
    "a list of two": lambda: [X, Y],
    "a triple": lambda: (X, Y, torch.arange(10)),
    "arrays": lambda: (X.numpy(), Y.numpy()),
    "arrays of double precision": lambda: (X.double().numpy(), Y.numpy().astype(np.int32)),
    "lists of numbers": lambda: (X.tolist(), Y.tolist()),
    "a dict": lambda: {"input_ids": X, "labels": Y},
    "a batch encoding": lambda: UserDict(input_ids=X, labels=Y, length=torch.ones(10)),
    "a column of targets": lambda: (X, Y.unsqueeze(1)),
    "dicts": lambda: [in_dicts(0, 6), in_dicts(6, 10)],
    "dicts with another name": lambda: [{"input_ids": X, "y": Y}],
    "pairs of a dict": lambda: [({"input_ids": X}, Y)],
    "a loader": lambda: DataLoader(TensorDataset(X, Y), batch_size=4),
    "a loader of triples": lambda: DataLoader(TensorDataset(X, Y, torch.arange(10)), batch_size=4),
    "a dataset": lambda: TensorDataset(X, Y),
    "a dataset of dicts": lambda: Examples(lambda i: {"input_ids": X[i], "label": Y[i], "text": "no"}),
    "a dataset that inherits from none": Rows,
    "a table of columns": Columns,
    "a generator": lambda: ((X[i : i + 5], Y[i : i + 5]) for i in (0, 5)),
    "a function": lambda: lambda: DataLoader(TensorDataset(X, Y), batch_size=4),
    "an iterator of a function": lambda: lambda: iter([(X, Y)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_has_the_values_of_its_examples(kind, capsys):
    model = Named()
    assert scores(evaluated(model, KINDS[kind]())) == pytest.approx(expected(model), rel=1e-5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("size", [None, 3])
def test_other_inputs_of_a_dict_go_where_forward_has_their_name(size):
    model, by = Named(), torch.randn(10, 4, generator=torch.Generator().manual_seed(1))
    data = {"input_ids": X, "shift": by, "labels": Y, "unknown to forward": X}
    values = evaluated(model, data, batch_size=size)
    assert scores(values) == pytest.approx(expected(model, X + by), rel=1e-5)


def test_a_dict_of_which_forward_has_no_name_is_its_one_argument():
    model = Nested()
    values = evaluated(model, [{"image": {"pixels": X}, "caption": torch.zeros(10), "label": Y}])
    assert scores(values) == pytest.approx(expected(model), rel=1e-5)


class Decoder(Named):
    """Gives all logits only beside targets, as nanoGPT does; else those of the last token."""

    def forward(self, tokens, targets=None):
        logits = self.head(tokens)
        if targets is None:
            return logits[:, [-1]], None
        return logits, cross_entropy(logits.flatten(0, 1), targets.flatten())


def test_a_model_that_gives_all_logits_only_beside_targets_gets_them():
    model, tokens, targets = Decoder(), X.view(2, 5, 4), Y.view(2, 5)
    values = evaluated(model, (tokens, targets))
    assert scores(values) == pytest.approx(expected(model, tokens.flatten(0, 1)), rel=1e-5)
    assert values["train/loss"] == pytest.approx(model(tokens, targets)[1].item(), rel=1e-5)


class Translator(Named):
    """Reads the targets, as encoder-decoders do."""

    config = SimpleNamespace(is_encoder_decoder=True)

    def forward(self, input_ids, labels=None):
        return SimpleNamespace(loss=torch.tensor(0.0), logits=self.head(input_ids) + labels.unsqueeze(-1))


class AlwaysLoss(Named):
    """Computes its loss whatever it got, as models do that only ever train."""

    def forward(self, input_ids, labels=None):
        logits = self.head(input_ids)
        return {"loss": cross_entropy(logits, labels), "logits": logits}


@pytest.mark.parametrize("data", [{"input_ids": X, "labels": Y}, [(X[:4], Y[:4]), (X[4:], Y[4:])]], ids=type)
def test_a_model_that_fails_without_its_targets_gets_them(data):
    model = AlwaysLoss()
    assert scores(evaluated(model, data)) == pytest.approx(expected(model), rel=1e-5)


def test_a_model_that_fails_with_and_without_its_targets_says_why_it_does(capsys):
    values = evaluated(AlwaysLoss(), {"input_ids": X[:, :3], "labels": Y})
    assert "train/loss" not in values
    assert "mat1 and mat2 shapes cannot be multiplied" in capsys.readouterr().err


def test_an_encoder_decoder_gets_its_labels():
    model = Translator()
    values = evaluated(model, [{"input_ids": X, "labels": Y}])
    assert scores(values) == pytest.approx(expected(model), rel=1e-5)


@pytest.mark.parametrize("at_most", [None, 4])
def test_batches_without_an_example_leave_the_others_in(at_most, capsys):
    nothing, model = (X[:0], Y[:0]), nn.Linear(4, 3)
    values = evaluated(model, [nothing, (X[:7], Y[:7]), nothing, (X[7:], Y[7:])], at_most=at_most)
    whole = evaluated(model, [(X[:7], Y[:7]), (X[7:], Y[7:])], at_most=at_most)
    assert scores(values) == scores(whole)
    assert "could not be measured" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([(X, ["a", "b"])], r"got tuple[Tensor, list]; let it give inputs and targets"),
        ([X, [X]], "a split must be a pair (inputs, targets), a dict with 'labels', a dataset, or"),
        (7, "got int; let it give"),
        ([], "the split held no batches, got an empty list; pass at least one example"),
        ([(X[:0], Y[:0])], "the split held no example in any of its batches; pass at least one"),
        ([{"x": X}], "its targets as one of labels, label, targets, target, y, got dict of 'x'"),
        (
            [{"labels": Y, "text": ["a"]}],
            "must hold tensors beside its targets, got dict of 'labels', 'text'",
        ),
        ([{"labels": [[1], [1, 2]], "x": X}], "the targets 'labels' of a batch must be a tensor"),
        ({"train": TensorDataset(X, Y)}, "got dict of 'train'; let it give"),
        ((X, Y[:3]), "inputs and targets must hold the same number of examples, at least one, got [10, 3]"),
        (Examples(lambda i: (X[i, : 1 + i % 2], Y[i])), "they differ in shape, or hold more than numbers"),
        (Endless(), "got tuple[Tensor, Tensor]; let it give"),
    ],
)
def test_what_is_no_split_is_told_in_one_sentence(data, said, capsys):
    values = evaluated(nn.Linear(4, 3), data)
    assert "weights/norm" in values
    assert not any(key.startswith("train/") for key in values)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1

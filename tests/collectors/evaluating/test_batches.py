"""What counts as a split, and what is refused with a sentence."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.evaluating.batches import batches

X, Y = torch.arange(10.0).view(5, 2), torch.arange(5)


def seen(data, **options):
    return [
        ([part.tolist() for part in x] if isinstance(x, tuple) else x.tolist(), y.tolist())
        for x, y in batches(data, **options)
    ]


WHOLE = (X.tolist(), Y.tolist())


@pytest.mark.parametrize("data", [(X, Y), [X, Y], [(X, Y)], ([X, Y],), iter([(X, Y)]), (X, Y.tolist())])
def test_a_pair_and_an_iterable_of_one_pair_are_the_same_split(data):
    assert seen(data) == [WHOLE]


def test_a_pair_is_cut_to_size_with_a_shorter_rest():
    assert seen((X, Y), batch_size=2) == [
        (X[:2].tolist(), [0, 1]),
        (X[2:4].tolist(), [2, 3]),
        (X[4:].tolist(), [4]),
    ]
    assert seen((X, Y), batch_size=99) == [WHOLE]


def test_several_inputs_are_cut_together():
    assert seen(((X, Y), Y), batch_size=3) == [
        ([X[:3].tolist(), [0, 1, 2]], [0, 1, 2]),
        ([X[3:].tolist(), [3, 4]], [3, 4]),
    ]


def test_a_loader_brings_its_own_batches():
    loader = DataLoader(TensorDataset(X, Y), batch_size=2)
    assert seen(loader, batch_size=1) == seen((X, Y), batch_size=2)
    several = DataLoader([((X[i], Y[i]), Y[i]) for i in range(5)], batch_size=5)
    assert seen(several) == [([X.tolist(), Y.tolist()], Y.tolist())]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "held no batches; an iterator reads only once"),
        (TensorDataset(X, Y), "got TensorDataset; wrap a Dataset in a DataLoader"),
        (X, "a split must be a pair .* got Tensor;"),
        (7, "a split must be a pair .* got int;"),
        ([{"x": X, "y": Y}], "got dict of 'x', 'y';"),
        ([(X, Y, Y)], r"got tuple\[Tensor, Tensor, Tensor\]"),
        ([(X, ["a", "b"])], r"got tuple\[Tensor, list\]"),
        ([((X, "mask"), Y)], r"got tuple\[tuple, Tensor\]"),
        ((X, Y[:3]), r"same number of examples, at least one, got \[5, 3\]"),
        ((X[:0], Y[:0]), r"same number of examples, at least one, got \[0, 0\]"),
        (((X, X[:2]), Y), r"got \[5, 2, 5\]"),
    ],
)
def test_what_is_no_split_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        list(batches(data))


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_size_must_be_positive(size):
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {size}; None takes"):
        list(batches((X, Y), batch_size=size))

"""Classes and slices of the data against scikit-learn and against the measures of the slice alone."""

import math

import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from grokscope.collectors.measures.outputs.curves import loss
from grokscope.collectors.measures.outputs.groups import group_accuracies, group_losses, macro_accuracy
from grokscope.collectors.measures.outputs.ranks import accuracy


def predictions(seed, *, samples=60, classes=5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, classes, (samples,), generator=generator)
    logits = torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    logits[range(samples), targets] += 1
    return logits.to(dtype), targets, torch.randint(0, 3, (samples,), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("seed", range(3))
def test_a_group_measures_what_its_samples_alone_measure(seed, dtype):
    logits, targets, groups = predictions(seed, dtype=dtype)
    right = group_accuracies(logits, targets, groups, count=4)
    losses = group_losses(logits, targets, groups, count=4)
    for group in range(3):
        own = groups == group
        assert right[group].item() == pytest.approx(accuracy(logits[own], targets[own]).item(), rel=1e-6)
        assert losses[group].item() == pytest.approx(loss(logits[own], targets[own]).item(), rel=1e-5)
    assert right[3].isnan()
    assert losses[3].isnan()


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("seed", range(5))
def test_macro_accuracy_is_scikit_learns_balanced_accuracy(seed):
    logits, targets, _ = predictions(seed, samples=20, classes=9)
    expected = balanced_accuracy_score(targets.numpy(), logits.argmax(1).numpy())
    assert macro_accuracy(logits, targets).item() == pytest.approx(expected)


def test_a_row_with_nan_is_wrong_for_its_class():
    logits = torch.tensor([[1.0, math.nan], [1.0, 0.0]])
    assert macro_accuracy(logits, torch.tensor([0, 0])).item() == 0.5


def test_one_group_a_target_is_asked_for():
    logits, targets, groups = predictions(0)
    with pytest.raises(ValueError, match=r"one group a sample, got \[59\] for targets \[60\]"):
        group_losses(logits, targets, groups[:-1], count=3)

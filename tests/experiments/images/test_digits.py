"""The digits: all of them, split without overlap, and a clear word where scikit-learn is missing."""

import sys

import pytest
import torch

from grokscope.experiments.images.digits import all_digits, split_digits


def test_a_split_holds_every_image_once():
    images, digits = all_digits()
    (first, first_digits), (rest, rest_digits) = split_digits(200, seed=3)
    assert (len(first), len(rest)) == (200, 1597)
    rows = torch.cat([first, rest])
    assert sorted(rows.tolist()) == sorted(images.flatten(1).tolist())
    assert torch.equal(torch.cat([first_digits, rest_digits]).bincount(), digits.bincount())


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (split_digits(50, seed)[0][0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("count", [0, 1797, -1])
def test_a_split_without_a_side_is_refused(count):
    with pytest.raises(ValueError, match=f"train_images is 1 to 1796, got {count}"):
        split_digits(count, seed=0)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"come with scikit-learn, .*: pip install scikit-learn$"):
        all_digits()

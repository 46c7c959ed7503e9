"""Modular arithmetic with wrong labels: which labels are wrong, what is measured, and what is expected."""

import pytest
import torch

from grokscope.experiments.algorithmic.label_noise import LABEL_NOISE, LabelNoise, prepare, with_wrong_labels


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.25, 25), (1.0, 100)])
def test_as_many_labels_as_asked_for_are_wrong_and_no_others(share, count):
    labels = torch.arange(100) % 7
    wrong, places = with_wrong_labels(labels, 7, share, seed=2)
    assert (wrong != labels).nonzero().flatten().tolist() == sorted(places.tolist())
    assert len(places) == count
    assert set(wrong.tolist()) <= set(range(7))


def test_a_wrong_label_is_any_of_the_other_classes():
    wrong, _ = with_wrong_labels(torch.zeros(500, dtype=torch.int64), 5, 1.0, seed=0)
    assert set(wrong.tolist()) == {1, 2, 3, 4}


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=f"label_noise is a share from 0 to 1, got {share}"):
        with_wrong_labels(torch.zeros(3, dtype=torch.int64), 5, share, seed=0)


def test_the_pairs_with_wrong_labels_are_measured_by_these_and_by_the_right_results():
    splits = prepare(LabelNoise(p=11, label_noise=0.2)).splits
    assert list(splits) == ["train", "test", "train_corrupted", "shift:true_labels"]
    pairs, labels = splits["train_corrupted"]
    same_pairs, results = splits["shift:true_labels"]
    assert torch.equal(pairs, same_pairs)
    assert torch.equal(results, pairs.sum(dim=1) % 11)
    assert not (labels == results).any()
    trained = {(*pair, label) for pair, label in zip(*(x.tolist() for x in splits["train"]), strict=True)}
    assert {(*pair, label) for pair, label in zip(pairs.tolist(), labels.tolist(), strict=True)} <= trained
    wrong = splits["train"][1] != splits["train"][0].sum(dim=1) % 11
    assert int(wrong.sum()) == len(labels) == 12


def test_wrong_labels_are_spread_over_the_batches():
    training = prepare(LabelNoise(batch=50, label_noise=0.1))
    seen: list[torch.Tensor] = []
    training.model.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    for step in range(10):
        training.loss_of(step)
    wrong = {tuple(pair) for pair in training.splits["train_corrupted"][0].tolist()}
    counts = [sum(tuple(pair) in wrong for pair in pairs.tolist()) for pairs in seen]
    assert max(counts) < 15


def test_held_out_results_are_right():
    pairs, results = prepare(LabelNoise(p=11)).splits["test"]
    assert torch.equal(results, pairs.sum(dim=1) % 11)


def test_without_wrong_labels_there_is_nothing_to_give_up():
    assert list(prepare(LabelNoise(p=11, label_noise=0.0)).splits) == ["train", "test"]


def test_the_share_of_wrong_labels_is_logged_with_the_data():
    assert LabelNoise().describe().to_params()["intervention.data.label_noise"] == 0.1


def test_every_arm_but_the_first_is_a_control():
    assert [(arm.group, arm.is_control) for arm in LABEL_NOISE.arms] == [
        ("10 % wrong labels", False),
        ("256 hidden units", True),
        ("no weight decay", True),
        ("no wrong labels", True),
    ]

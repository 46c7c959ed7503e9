"""Masks and maps of classes as images hold them: 255 for 1, or for what is not scored."""

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, one_hot

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.measures import Subset
from grokscope.collectors.measures.subset import StepContext, take
from grokscope.collectors.testing import MemorySink

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(8, 1, 4, 4, generator=GENERATOR)
MASK = (torch.rand(8, 4, 4, generator=GENERATOR) > 0.5).long()
MAP = torch.randint(0, 3, (8, 4, 4), generator=GENERATOR)
BORDER = torch.rand(8, 4, 4, generator=GENERATOR) > 0.8


def segmenter(channels):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Conv2d(1, channels, 3, padding=1)


def evaluated(model, targets, *, size=3, **options):
    seen = []

    def read(context: StepContext):
        taken = take(context, Subset())
        seen.append(taken.loss(taken.parameters).item())
        return {}

    sink, how = MemorySink(), Measuring(defaults=False, budget=1e9, **options)
    held = Tracker(model, experiment="e", sink=sink, measures=[read], measuring=how)
    batches = [(X[i : i + size], targets[i : i + size]) for i in range(0, len(X), size)]
    values = {key[6:]: v for key, v in held.evaluate(0, train=batches).items() if key.startswith("train/")}
    of_one_batch = held.evaluate(1, train=(X, targets)).get("train/loss")
    assert seen[-1:] == ([] if of_one_batch is None else [pytest.approx(of_one_batch, rel=1e-5)])
    return values


@pytest.mark.parametrize("kind", [torch.uint8, torch.long, torch.int16, torch.float32])
@pytest.mark.parametrize("has_channel", [False, True])
def test_a_mask_of_zeros_and_255_is_read_as_zeros_and_ones(has_channel, kind, capsys):
    model = segmenter(1)
    z = model(X).squeeze(1)
    mask = (255 * MASK).to(kind)
    values = evaluated(model, mask.unsqueeze(1) if has_channel else mask)
    expected = binary_cross_entropy_with_logits(z, MASK.float()).item()
    assert values["loss"] == pytest.approx(expected, rel=1e-5)
    assert values["accuracy"] == pytest.approx(((z > 0) == (MASK > 0)).float().mean().item())
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the targets are 0 or 255 of a single logit, read as 0 or 1, so the loss taken is bce" in error


def test_masks_of_several_labels_and_of_a_class_a_channel_are_read_so_too(capsys):
    labels = (torch.rand(8, 3, 4, 4, generator=GENERATOR) > 0.5).to(torch.uint8)
    model = segmenter(3)
    expected = binary_cross_entropy_with_logits(model(X), labels.float()).item()
    assert evaluated(model, 255 * labels)["loss"] == pytest.approx(expected, rel=1e-5)
    assert "0 or 255, several a row, read as 0 or 1" in capsys.readouterr().err
    rows = one_hot(MAP, 3).movedim(-1, 1).to(torch.uint8)
    expected = cross_entropy(model(X), MAP).item()
    assert evaluated(model, 255 * rows)["loss"] == pytest.approx(expected, rel=1e-5)
    assert "one-hot rows of 255, read as 0 or 1" in capsys.readouterr().err


def test_a_batch_without_255_is_of_the_same_mask_as_those_with_it(capsys):
    mask = 255 * MASK.to(torch.uint8)
    mask[:3] = 0
    expected = binary_cross_entropy_with_logits(segmenter(1)(X).squeeze(1), (mask > 0).float()).item()
    assert evaluated(segmenter(1), mask)["loss"] == pytest.approx(expected, rel=1e-5)
    assert "could not be" not in capsys.readouterr().err


def test_values_of_images_are_values_where_that_is_said_or_shown():
    model = segmenter(1)
    gray = torch.randint(0, 256, (8, 1, 4, 4), generator=GENERATOR, dtype=torch.uint8)
    mask = 255 * MASK.to(torch.uint8).unsqueeze(1)
    assert evaluated(model, gray)["loss"] == pytest.approx(mse_loss(model(X), gray.float()).item(), rel=1e-5)
    told = evaluated(model, mask, loss="mse")["loss"]
    assert told == pytest.approx(mse_loss(model(X), mask.float()).item(), rel=1e-5)


def test_images_of_which_the_first_are_black_and_white_are_refused_rather_than_read_as_masks(capsys):
    gray = torch.randint(0, 256, (8, 4, 4), generator=GENERATOR, dtype=torch.uint8)
    gray[:3] = 255 * MASK[:3].to(torch.uint8)
    how = Measuring(defaults=False)
    held = Tracker(segmenter(1), experiment="e", sink=MemorySink(), measuring=how)
    values = held.evaluate(0, train=[(X[:3], gray[:3]), (X[3:], gray[3:])])
    assert "train/loss" not in values
    assert "were read as binary, and those of a later one are numbers" in capsys.readouterr().err


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [torch.uint8, torch.long])
def test_zeros_and_255_for_several_classes_may_be_a_mask_or_a_mark_and_are_refused(kind, classes, capsys):
    model, mask = segmenter(classes), (255 * MASK).to(kind)
    assert evaluated(model, mask) == {}
    error = capsys.readouterr().err
    assert f"the targets are 0 and 255 for {classes} classes, and 255 may stand for class 1 or mark" in error
    assert "(targets == 255).long(), or write Measuring(ignore_index=255)" in error
    expected = cross_entropy(model(X), MASK).item()
    assert evaluated(model, (mask == 255).long())["loss"] == pytest.approx(expected, rel=1e-5)
    told = evaluated(model, mask, ignore_index=255)["loss"]
    assert told == pytest.approx(cross_entropy(model(X), mask.long(), ignore_index=255).item(), rel=1e-5)


def test_255_beside_nothing_but_zeros_is_a_mark_once_a_batch_has_shown_other_classes(capsys):
    model, targets = segmenter(3), MAP.clone()
    targets[3:] = MASK[3:] * 255
    held = Tracker(model, experiment="e", sink=MemorySink(), measuring=Measuring(defaults=False))
    values = held.evaluate(0, train=[(X[:3], targets[:3]), (X[3:], targets[3:])])
    expected = cross_entropy(model(X), targets, ignore_index=255).item()
    assert values["train/loss"] == pytest.approx(expected, rel=1e-5)
    assert "the targets of 'train' that are 255 are left out" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [torch.uint8, torch.long])
@pytest.mark.parametrize("is_first_without", [False, True])
def test_255_in_a_map_of_few_classes_marks_what_is_not_scored(is_first_without, kind, capsys):
    model, border = segmenter(3), BORDER.clone()
    border[:3] &= not is_first_without
    targets = MAP.masked_fill(border, 255)
    z = model(X)
    values = evaluated(model, targets.to(kind))
    assert values["loss"] == pytest.approx(cross_entropy(z, targets, ignore_index=255).item(), rel=1e-5)
    right = (z.argmax(1) == targets)[~border]
    assert values["accuracy"] == pytest.approx(right.float().mean().item())
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the targets of 'train' that are 255 are left out: the model has 3 classes, and 255" in error
    assert evaluated(model, targets.to(kind), ignore_index=255) == pytest.approx(values, rel=1e-5)


def test_two_values_that_mark_are_both_left_out():
    model = segmenter(3)
    targets = MAP.masked_fill(BORDER, 255)
    targets[:, 0] = -100
    expected = cross_entropy(model(X), targets.masked_fill(targets == 255, -100)).item()
    assert evaluated(model, targets)["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("value", "classes"), [(255, 3), (200, 3)])
def test_what_is_out_of_range_beside_it_stays_refused(value, classes, capsys):
    targets = MAP.masked_fill(BORDER, value)
    targets[0, 0, 0] = 77
    assert evaluated(segmenter(classes), targets) == {}
    assert f"targets must lie in 0..{classes - 1}, the classes of the logits" in capsys.readouterr().err


def test_of_more_than_255_classes_255_is_one(capsys):
    model = segmenter(256)
    targets = MAP.masked_fill(BORDER, 255)
    expected = cross_entropy(model(X), targets).item()
    assert evaluated(model, targets.to(torch.uint8))["loss"] == pytest.approx(expected, rel=1e-5)
    assert capsys.readouterr().err == ""


def test_class_156_of_bytes_is_not_taken_for_minus_100():
    model = segmenter(200)
    targets = MAP.masked_fill(BORDER, 156)
    expected = cross_entropy(model(X), targets).item()
    assert evaluated(model, targets.to(torch.uint8))["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("mark", "options"), [(255, {"ignore_index": 255}), (-100, {}), (7, {"ignore_index": 7})]
)
@pytest.mark.parametrize("kind", [torch.long, torch.float32])
def test_marked_targets_of_a_single_logit_are_left_out(kind, mark, options):
    model = segmenter(1)
    z, targets = model(X).squeeze(1), MASK.masked_fill(BORDER, mark)
    expected = binary_cross_entropy_with_logits(z[~BORDER], MASK[~BORDER].float()).item()
    values = evaluated(model, targets.to(kind), **options)
    assert values["loss"] == pytest.approx(expected, rel=1e-5)
    assert values["accuracy"] == pytest.approx(((z > 0) == (MASK > 0))[~BORDER].float().mean().item())


def test_a_mask_with_marks_that_nobody_said_is_refused(capsys):
    assert evaluated(segmenter(1), MASK.masked_fill(BORDER, 255).to(torch.uint8)) == {}
    error = capsys.readouterr().err
    assert "the targets are 0, 1 and 255 of a single logit, and 255 usually marks what is not scored" in error
    assert "write Measuring(ignore_index=255) to leave it out" in error


def test_labels_of_which_some_are_missing_are_refused(capsys):
    labels = torch.randint(0, 2, (8, 3, 4, 4), generator=GENERATOR)
    labels[:, :, 0] = -100
    assert evaluated(segmenter(3), labels) == {}
    assert "0, 1 and -100, several a row, and of such none are left out" in capsys.readouterr().err
    own = evaluated(segmenter(3), labels, loss=lambda z, y: (z * (y >= 0)).sum())
    assert "loss" in own

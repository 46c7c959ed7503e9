"""What targets are, which loss is taken of them and which scores they have, each equal to torch's own."""

import pytest
import torch
from sklearn.metrics import r2_score, roc_auc_score
from torch import nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    mse_loss,
    one_hot,
)
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.measures import Subset, sharpness
from grokscope.collectors.measures.subset import StepContext, take
from grokscope.collectors.testing import MemorySink

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(12, 4, generator=GENERATOR)
CLASSES = torch.arange(12) % 3
BITS = torch.tensor([0.0, 1.0, 1.0, 0.0] * 3)
LABELS = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]] * 3)
SHARES = torch.randn(12, 3, generator=GENERATOR).softmax(-1)
VALUES = torch.randn(12, 3, generator=GENERATOR)


def linear(width):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Linear(4, width)


def loss_surface(seen):
    """Return a measure that runs the model itself, as those of the loss surface do."""

    def read(context: StepContext):
        taken = take(context, Subset())
        seen.append(taken.loss(taken.parameters).item())
        return {}

    return read


def evaluated(model, targets, *, size=None, measures=(), **options):
    sink, how = MemorySink(), Measuring(defaults=False, budget=1e9, **options)
    held = Tracker(model, experiment="e", sink=sink, measures=measures, measuring=how)
    data = (X, targets) if size is None else DataLoader(TensorDataset(X, targets), batch_size=size)
    values = held.evaluate(0, train=data)
    return {key[6:]: value for key, value in values.items() if key.startswith("train/")}


@pytest.mark.parametrize("targets", [BITS, BITS.long(), BITS.bool(), BITS.unsqueeze(1)], ids=str)
@pytest.mark.parametrize("size", [None, 5])
def test_a_single_logit_of_zeros_and_ones_has_the_binary_cross_entropy_and_all_curves(targets, size, capsys):
    model = linear(1)
    z = model(X).squeeze(-1).detach()
    values = evaluated(model, targets, size=size)
    assert values["loss"] == pytest.approx(binary_cross_entropy_with_logits(z, BITS).item(), rel=1e-5)
    assert values["accuracy"] == pytest.approx(((z > 0) == (BITS > 0)).float().mean().item())
    assert values["auc"] == pytest.approx(roc_auc_score(BITS, z), abs=1e-6)
    assert values["margin"] == pytest.approx((z * (2 * BITS - 1)).mean().item(), rel=1e-4)
    assert "0 or 1 of a single logit, so the loss taken is bce" in capsys.readouterr().err


def test_an_output_without_a_last_dimension_is_a_single_logit():
    model = nn.Sequential(linear(1), nn.Flatten(0))
    expected = binary_cross_entropy_with_logits(model(X), BITS).item()
    assert evaluated(model, BITS)["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [torch.float, torch.long, torch.bool])
def test_labels_have_their_loss_accuracy_exact_match_and_auc(kind, capsys):
    model = linear(3)
    z = model(X).detach()
    right = (z > 0) == (LABELS > 0)
    assert evaluated(model, LABELS.to(kind), size=5) == pytest.approx(
        {
            "loss": binary_cross_entropy_with_logits(z, LABELS).item(),
            "accuracy": right.float().mean().item(),
            "exact_match": right.all(1).float().mean().item(),
            "auc": roc_auc_score(LABELS, z, average="macro"),
        },
        rel=1e-5,
    )
    assert "0 or 1, several a row, so the loss taken is bce" in capsys.readouterr().err


def test_one_hot_rows_are_class_indices():
    model = linear(3)
    rows, plain = evaluated(model, one_hot(CLASSES).float()), evaluated(model, CLASSES)
    assert rows == pytest.approx(plain, rel=1e-5)
    assert evaluated(model, one_hot(CLASSES)) == pytest.approx(plain, rel=1e-5)


def test_rows_that_sum_to_one_have_the_cross_entropy(capsys):
    model = linear(3)
    z = model(X).detach()
    assert evaluated(model, SHARES, size=7) == pytest.approx(
        {
            "loss": cross_entropy(z, SHARES).item(),
            "accuracy": (z.argmax(1) == SHARES.argmax(1)).float().mean().item(),
        },
        rel=1e-5,
    )
    assert "rows that sum to 1, so the loss taken is cross_entropy" in capsys.readouterr().err


@pytest.mark.parametrize("width", [1, 3])
def test_numbers_have_the_squared_error_and_r2(width, capsys):
    model, targets = linear(width), VALUES[:, :width]
    z = model(X).detach()
    expected = {"loss": mse_loss(z, targets).item(), "r2": r2_score(targets, z)}
    assert evaluated(model, targets, size=5) == pytest.approx(expected, rel=1e-5)
    if width == 1:
        assert evaluated(model, targets.squeeze(1)) == pytest.approx(expected, rel=1e-5)
    assert "numbers of the shape of the outputs, so the loss taken is mse" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        ("mse", lambda z, y: mse_loss(z, one_hot(y, 3).float())),
        ("bce", lambda z, y: binary_cross_entropy_with_logits(z, one_hot(y, 3).float())),
        (nn.CrossEntropyLoss(label_smoothing=0.1), lambda z, y: cross_entropy(z, y, label_smoothing=0.1)),
        (lambda z, y: cross_entropy(z, y, reduction="none"), cross_entropy),
    ],
)
def test_a_loss_that_is_said_stands_beside_the_curves_of_classes(loss, by_hand, capsys):
    model = linear(3)
    z, plain = model(X).detach(), evaluated(linear(3), CLASSES)
    values = evaluated(model, CLASSES, size=5, loss=loss)
    assert values["loss"] == pytest.approx(by_hand(z, CLASSES).item(), rel=1e-5)
    assert values | {"loss": 0} == pytest.approx(plain | {"loss": 0}, rel=1e-4)
    assert capsys.readouterr().err == ""


def test_a_loss_of_targets_that_fit_no_output_is_logged_alone():
    model = linear(3)
    anchors = torch.randn(12, 7, generator=GENERATOR)
    values = evaluated(model, anchors, loss=lambda z, y: z.norm() + y.norm())
    assert values == pytest.approx({"loss": (model(X).norm() + anchors.norm()).item()}, rel=1e-5)


def test_a_loss_that_does_not_take_the_targets_is_refused(capsys):
    assert evaluated(linear(3), VALUES, loss="cross_entropy") == {}
    assert "loss='cross_entropy' takes class indices, or shares of classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "later", "kind"),
    [(one_hot(CLASSES), LABELS, "one-hot"), (SHARES, VALUES, "soft"), (BITS, VALUES[:, 0], "binary")],
)
def test_targets_that_turn_out_to_be_others_cost_the_split_and_give_no_wrong_score(
    first, later, kind, capsys
):
    targets = torch.cat([first[:5].float(), later[5:]])
    assert evaluated(linear(1 if kind == "binary" else 3), targets, size=5) == {}
    assert f"its first batch were read as {kind}, and those of a later one are" in capsys.readouterr().err


def test_targets_of_a_float_type_that_are_indices_say_what_to_do(capsys):
    assert evaluated(linear(3), CLASSES.float()) == {}
    assert "must be class indices (int64), got torch.float32; convert with .long()" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("width", "targets"), [(3, VALUES), (1, VALUES[:, 0]), (3, LABELS), (1, BITS), (3, SHARES)]
)
def test_measures_of_the_loss_surface_follow_the_loss(width, targets):
    model, seen = linear(width), []
    values = evaluated(model, targets, measures=[loss_surface(seen), sharpness()])
    assert seen == pytest.approx([values["loss"]], rel=1e-5)


def test_ignored_targets_are_left_out_by_default_as_torch_does():
    model, targets = linear(3), CLASSES.clone()
    targets[::4] = -100
    expected = cross_entropy(model(X), targets).item()
    assert evaluated(model, targets, size=5)["loss"] == pytest.approx(expected, rel=1e-5)
    assert "loss" not in evaluated(model, targets, ignore_index=None)


class Images(nn.Module):
    """Gives images ``[N, C, 2, 2]`` of four numbers, or with the channels last."""

    def __init__(self, channels, *, is_last=False):
        super().__init__()
        self.layer, self.is_last = linear(channels) if is_last else nn.Conv2d(1, channels, 1), is_last

    def forward(self, x):
        return self.layer(x[:, None, None, :].expand(-1, 2, 2, -1) if self.is_last else x.view(-1, 1, 2, 2))


@pytest.mark.parametrize("has_channel", [False, True])
@pytest.mark.parametrize("kind", [torch.float, torch.long])
def test_a_mask_of_one_channel_has_a_binary_target_a_pixel(has_channel, kind, capsys):
    model, mask = Images(1), (X > 0).view(12, 2, 2)
    z = model(X).detach().squeeze(1)
    targets = mask.to(kind).unsqueeze(1) if has_channel else mask.to(kind)
    seen = []
    values = evaluated(model, targets, measures=[loss_surface(seen)])
    assert seen == pytest.approx([values["loss"]], rel=1e-5)
    values = evaluated(model, targets, size=5)
    assert values["loss"] == pytest.approx(binary_cross_entropy_with_logits(z, mask.float()).item(), rel=1e-5)
    assert values["accuracy"] == pytest.approx(((z > 0) == mask).float().mean().item())
    assert values["auc"] == pytest.approx(roc_auc_score(mask.flatten(), z.flatten()), abs=1e-6)
    said = capsys.readouterr().err
    assert "0 or 1 of a single logit" in said
    assert "failed" not in said


@pytest.mark.parametrize("is_last", [False, True])
def test_masks_of_a_class_a_channel_are_class_indices_wherever_the_channels_are(is_last):
    model, classes = Images(3, is_last=is_last), torch.arange(48).view(12, 2, 2) % 3
    rows = one_hot(classes).float()
    z = model(X).detach() if not is_last else model(X).detach().movedim(-1, 1)
    seen = []
    values = evaluated(model, rows if is_last else rows.movedim(-1, 1), measures=[loss_surface(seen)])
    assert seen == pytest.approx([values["loss"]], rel=1e-5)
    assert values["loss"] == pytest.approx(cross_entropy(z, classes).item(), rel=1e-5)
    assert values["accuracy"] == pytest.approx((z.argmax(1) == classes).float().mean().item())


def test_images_to_be_made_have_the_mean_squared_error_and_an_r2_of_each_channel():
    model, images = Images(3), torch.randn(12, 3, 2, 2, generator=torch.Generator().manual_seed(3))
    z = model(X).detach()
    columns = [part.movedim(1, -1).flatten(0, -2) for part in (images, z)]
    assert evaluated(model, images) == pytest.approx(
        {"loss": mse_loss(z, images).item(), "r2": r2_score(*columns)}, rel=1e-4
    )


def of_two_splits(model, train, test, **options):
    held = Tracker(model, experiment="e", sink=MemorySink(), measuring=Measuring(defaults=False, **options))
    return held.evaluate(0, train=(X, train), test=(X, test))


@pytest.mark.parametrize(
    ("width", "train", "test", "by_hand"),
    [
        (3, VALUES, LABELS, mse_loss),
        (3, VALUES, one_hot(CLASSES, 3), mse_loss),
        (1, VALUES[:, :1], BITS.unsqueeze(1), mse_loss),
        (3, LABELS, one_hot(CLASSES, 3), binary_cross_entropy_with_logits),
        (3, SHARES, one_hot(CLASSES, 3), cross_entropy),
        (3, CLASSES, SHARES, cross_entropy),
    ],
)
def test_targets_that_fit_the_loss_of_the_first_split_have_it_too(width, train, test, by_hand):
    model = linear(width)
    values = of_two_splits(model, train, test)
    for split, targets in (("train", train), ("test", test)):
        wanted = targets if targets is CLASSES else targets.float()
        assert values[f"{split}/loss"] == pytest.approx(by_hand(model(X), wanted).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("width", "train", "test"),
    [(3, one_hot(CLASSES, 3), VALUES), (3, LABELS, VALUES), (1, BITS, VALUES[:, 0]), (3, CLASSES, LABELS)],
)
def test_targets_that_do_not_fit_it_cost_their_split_until_the_loss_is_said(width, train, test, capsys):
    values = of_two_splits(linear(width), train, test)
    assert "train/loss" in values
    assert "test/loss" not in values
    error = capsys.readouterr().err
    assert "and those of another split took the loss" in error
    assert "say which is meant, as in Measuring(loss='bce') or 'mse'" in error
    assert {"train/loss", "test/loss"} <= of_two_splits(linear(width), train, test, loss="mse").keys()


class Heads(nn.Module):
    """Gives classes, and numbers of another shape."""

    def __init__(self):
        super().__init__()
        self.layer = linear(5)

    def forward(self, x):
        return {"classes": self.layer(x)[:, :3], "numbers": self.layer(x)[:, 3:]}


def test_splits_of_other_outputs_have_a_loss_of_their_own():
    model = Heads()
    values = of_two_splits(model, one_hot(CLASSES, 3).float(), VALUES[:, :2])
    found = model(X)
    assert values["train/loss"] == pytest.approx(cross_entropy(found["classes"], CLASSES).item(), rel=1e-5)
    expected = mse_loss(found["numbers"], VALUES[:, :2]).item()
    assert values["test/loss"] == pytest.approx(expected, rel=1e-5)

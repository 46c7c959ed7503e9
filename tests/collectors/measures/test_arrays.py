"""Instruments of arrays: closed forms, when they are read, and what the records say of them."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from grokscope.collectors import Tracker
from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.measures import (
    ARRAY_INSTRUMENTS,
    Array,
    StepContext,
    arrays,
    embedding_fourier,
    embedding_pca,
    hidden_spectrum,
    instrument,
    layer_arrays,
    margin_histogram,
)
from grokscope.collectors.measures.outputs.margin_histogram import margin_edges, margin_shares
from grokscope.collectors.measures.representation.embedding import principal_coordinates, turned_alike
from grokscope.collectors.measures.table import ARRAY_TABLE, array_table
from grokscope.collectors.testing import MemorySink
from grokscope.schemas import Tier
from grokscope.schemas.arrays import ARRAYS, find_array

ROOT = Path(__file__).parents[3]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reading() -> StepContext:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(8, 5))
    logits, targets = torch.randn(30, 5, generator=rng()), torch.arange(30) % 5
    seen = Pass(logits=logits, targets=targets, features=torch.randn(30, 8, generator=rng(1)))
    return StepContext(step=1, model=model, passes={"train": seen, "test": seen})


def test_the_committed_table_of_arrays_is_the_one_that_the_measures_make():
    assert (ROOT / ARRAY_TABLE).read_text() == array_table(), "run `make measures` and commit what it writes"
    assert tuple(ARRAYS.values()) == tuple(one for make in ARRAY_INSTRUMENTS for one in make.arrays)


@pytest.mark.parametrize("one", arrays(), ids=lambda one: one.name)
def test_what_an_instrument_gives_has_a_record_its_axes_and_a_label_for_each_place(one):
    given = one(reading())
    assert given
    for name, array in given.items():
        record = find_array(name)
        assert record is not None
        assert tuple(array.axes) == record.axes
        assert array.values.ndim == len(array.axes)
        assert not array.values.requires_grad
        for labels, length in zip(array.axes.values(), array.values.shape, strict=True):
            assert labels is None or len(labels) == length


@pytest.mark.parametrize("one", arrays(), ids=lambda one: one.name)
def test_a_model_without_anything_to_measure_gives_nothing(one):
    assert one(StepContext(step=0, model=nn.ReLU())) == {}


def test_arrays_of_layers_are_numpys():
    context = reading()
    given = layer_arrays(k=5)(context)
    parameters = dict(context.model.named_parameters())
    norms = [np.linalg.norm(one.detach().numpy()) for one in parameters.values()]
    assert given["layers/norm"].axes == {"parameter": [*parameters]}
    assert given["layers/norm"].values.tolist() == pytest.approx(norms, rel=1e-5)
    matrices = [one.detach().numpy() for one in parameters.values() if one.ndim == 2]
    spectra = [np.linalg.svd(one, compute_uv=False) for one in matrices]
    values = given["layers/singular_values"].values
    for row, spectrum in zip(values, spectra, strict=True):
        assert row[: len(spectrum)].tolist() == pytest.approx(spectrum[:5].tolist(), rel=1e-4)
        assert row[len(spectrum) :].isnan().all()
    ranks = [(s**2).sum() / s[0] ** 2 for s in spectra]
    assert given["layers/stable_rank"].values.tolist() == pytest.approx(ranks, rel=1e-4)


def test_the_histogram_of_margins_is_numpys_and_counts_what_is_beyond_at_its_ends():
    logits = torch.randn(500, 7, generator=rng()) * 20
    targets = torch.randint(7, (500,), generator=rng(1))
    rows = logits.numpy().copy()
    true = rows[np.arange(500), targets.numpy()]
    rows[np.arange(500), targets.numpy()] = -np.inf
    counts, _ = np.histogram(true - rows.max(axis=1), bins=np.array(margin_edges()))
    assert margin_shares(logits, targets).tolist() == pytest.approx((counts / 500).tolist(), abs=1e-6)
    far = margin_shares(torch.tensor([[1e6, 0.0], [0.0, 1e6], [math.nan, 0.0]]), torch.tensor([0, 0, 0]))
    assert (far[0].item(), far[-1].item(), far.sum().item()) == pytest.approx((1 / 3, 1 / 3, 2 / 3))


def test_principal_coordinates_are_numpys_up_to_signs_and_keep_them_over_steps():
    table = torch.randn(40, 6, generator=rng()) * torch.tensor([5.0, 3.0, 2.0, 1.0, 1.0, 1.0])
    coordinates, shares = principal_coordinates(table)
    centred = table.numpy() - table.numpy().mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(coordinates.numpy()) == pytest.approx(np.abs(u[:, :3] * s[:3]), abs=1e-3)
    assert shares.tolist() == pytest.approx((s**2 / (s**2).sum())[:3].tolist(), rel=1e-4)
    for flip in (1.0, -1.0):
        assert torch.equal(turned_alike(flip * coordinates, coordinates), coordinates)


def test_an_embedding_that_hardly_moves_keeps_its_picture():
    embedding = nn.Embedding(30, 6)
    one = embedding_pca()
    pictures = []
    for step in range(4):
        with torch.no_grad():
            embedding.weight += 0.01 * torch.randn(30, 6, generator=rng(step))
        pictures.append(one(StepContext(step=10**step, model=embedding))["embedding/pca"].values)
    for before, after in pairwise(pictures):
        assert ((before * after).sum(dim=0) > 0).all()


def test_a_circle_has_its_power_at_its_frequency():
    embedding = nn.Embedding(13, 2)
    angle = 2 * math.pi * 3 * torch.arange(11) / 11
    with torch.no_grad():
        embedding.weight[:11] = torch.stack([angle.cos(), angle.sin()], dim=1)
    power = embedding_fourier(rows=11)(StepContext(step=0, model=embedding))["embedding/fourier"]
    assert int(power.values.argmax()) == 2
    assert power.axes["frequency"][2] == "3"
    assert power.values.sum().item() == pytest.approx(power.values[2].item(), rel=1e-4)


@pytest.mark.parametrize("make", [layer_arrays, hidden_spectrum])
def test_no_values_are_refused(make):
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        make(k=0)


def test_a_table_that_is_none_is_told():
    model = nn.Sequential(nn.LayerNorm(3))
    with pytest.raises(ValueError, match=r"embedding='0' must have a weight \[V, d\]"):
        embedding_pca(embedding="0")(StepContext(step=0, model=model))


def blobs():
    return torch.randn(20, 4, generator=rng()), torch.arange(20) % 3


def test_a_tracker_logs_arrays_by_itself_eight_times_a_decade_whatever_steps_are_evaluated():
    sink = MemorySink()
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink, measuring=Measuring(budget=1e6))
    for step in range(0, 300, 25):
        tracker.evaluate(step, train=blobs(), test=blobs())
    steps = [one.step for one in sink.arrays if one.name == "layers/singular_values"]
    assert steps == [0, 25, 50, 75, 100, 150, 200, 250]
    names = {one.name for one in sink.arrays}
    assert names == {
        *("layers/norm", "layers/singular_values", "layers/stable_rank", "layers/effective_rank"),
        *("outputs/margins/train", "outputs/margins/test"),
    }
    assert any("collector/seconds/layer_arrays" in values for _, _, values in sink.records)


def test_one_bad_array_takes_no_scalar_and_no_other_array_with_it(capsys):
    @instrument(tier=Tier.FREE)
    def mine(context):
        return {
            "mine/scalar": 1.0,
            "mine/large": Array(values=torch.zeros(70_000), axes={"k": None}),
            "mine/good": Array(values=torch.ones(2), axes={"k": None}),
        }

    sink = MemorySink()
    how = Measuring(budget=1e6, defaults=False)
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=sink, measures=[mine], measuring=how)
    for step in range(3):
        assert tracker.evaluate(step, train=blobs())["mine/scalar"] == 1.0
    assert [(one.step, one.name) for one in sink.arrays] == [(step, "mine/good") for step in range(3)]
    err = capsys.readouterr().err
    assert err.count("'mine/large' has 70,000 values") == 1
    assert sink.records[-1][2]["collector/dropped"] == 2.0


def test_measuring_arrays_leaves_the_gradients_the_mode_and_the_parameters_as_they_were():
    model = nn.Linear(4, 3)
    before = [one.detach().clone() for one in model.parameters()]
    sink = MemorySink()
    tracker = Tracker(
        model, experiment="e", sink=sink, measures=arrays()[2:], measuring=Measuring(budget=1e6)
    )
    tracker.evaluate(0, train=blobs())
    assert model.training
    assert all(one.grad is None for one in model.parameters())
    assert all(map(torch.equal, before, model.parameters()))
    assert "representation/eigenvalues/train" in {one.name for one in sink.arrays}


def test_margins_are_read_of_every_split():
    assert set(margin_histogram()(reading())) == {"outputs/margins/train", "outputs/margins/test"}

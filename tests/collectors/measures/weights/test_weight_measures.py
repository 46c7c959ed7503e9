"""Every measure of a model's weights, by its full key."""

import math

import pytest
import torch
from torch import nn

from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.measures.weights.heavy_tails import heavy_tails
from grokscope.collectors.measures.weights.layers import layer_arrays
from grokscope.collectors.measures.weights.spectra import spectral_measures, weight_spectra
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.schemas.metrics.table import find_metric


class Model(nn.Module):
    """A bare matrix, a layer, a convolution, a normalisation and a name that no metric key could hold."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.unembed = nn.Parameter(torch.randn(3, 4, generator=generator))
        self.body = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
        self.conv = nn.Conv2d(2, 3, 2, bias=False)
        self.by_name = nn.ModuleDict({"größe 1/2": nn.Linear(2, 2, bias=False)})


def norm(*parameters):
    return math.sqrt(sum((p.detach() ** 2).sum().item() for p in parameters))


def test_norms_come_in_total_by_layer_and_matrices_under_their_names():
    model = Model()
    odd = model.by_name["größe 1/2"].weight
    measured = weight_measures(model)
    norms = {
        "weights/norm": norm(*model.parameters()),
        "weights/norm/unembed": norm(model.unembed),
        "weights/norm/body.0": norm(*model.body[0].parameters()),
        "weights/norm/body.1": norm(*model.body[1].parameters()),
        "weights/norm/body.2": norm(*model.body[2].parameters()),
        "weights/norm/conv": norm(model.conv.weight),
        "weights/norm/by_name.gr__e_1_2": norm(odd),
    }
    matrices = {
        "unembed": model.unembed,
        "body.0": model.body[0].weight,
        "conv": model.conv.weight,
        "by_name.gr__e_1_2": odd,
    }
    spectra = {
        f"weights/{quantity}/{where}": value.item()
        for where, matrix in matrices.items()
        for quantity, value in spectral_measures(*singular_values([matrix])).items()
    }
    assert {name: value.item() for name, value in measured.items()} == pytest.approx(
        norms | spectra, rel=1e-6
    )
    assert all(find_metric(name) for name in measured)


def test_without_matrices_only_norms_are_measured():
    assert {name.split("/")[1] for name in weight_measures(Model(), matrices=False)} == {"norm"}


def test_distance_is_measured_from_a_snapshot():
    model = Model()
    init = snapshot(model)
    assert weight_measures(model, init=init, matrices=False)["weights/distance_from_init"].item() == 0.0
    with torch.no_grad():
        model.unembed[0, 0] += 3
        model.conv.weight[0, 0, 0, 0] += 4
    measured = weight_measures(model, init=init, matrices=False)
    assert measured["weights/distance_from_init"].item() == pytest.approx(5.0)


def test_a_snapshot_of_another_model_is_refused():
    with pytest.raises(ValueError, match=r"difference in .*body\.0\.bias.*; take it with snapshot\(model\)"):
        weight_measures(Model(), init=snapshot(nn.Linear(2, 2)))


def test_several_parameter_groups_are_normed_by_name():
    model = nn.Linear(2, 3)
    groups = [{"params": [model.weight], "name": "decay/yes"}, {"params": [model.bias]}]
    optimizer = torch.optim.AdamW(groups)
    measured = weight_measures(model, optimizer=optimizer, matrices=False)
    assert list(measured) == [
        "weights/norm",
        "weights/norm/weight",
        "weights/norm/bias",
        "weights/norm/group:decay_yes",
        "weights/norm/group:group_1",
    ]
    assert measured["weights/norm/group:group_1"].item() == pytest.approx(norm(model.bias))
    single = torch.optim.AdamW(model.parameters())
    assert not any("group" in name for name in weight_measures(model, optimizer=single))


def test_wrappers_do_not_show_in_names():
    model = nn.Sequential(nn.Linear(2, 2))
    names = list(weight_measures(model))
    assert (
        list(weight_measures(nn.DataParallel(model), init=snapshot(model), matrices=False))[:2] == names[:2]
    )
    assert list(weight_measures(torch.compile(model, backend="eager"))) == names


def test_a_diverged_weight_reads_nan_in_its_own_measures_only():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    nn.init.constant_(model[0].weight, math.nan)
    measured = weight_measures(model)
    assert {name for name, value in measured.items() if value.isnan()} == {
        "weights/norm",
        "weights/norm/0",
        "weights/spectral_norm/0",
        "weights/stable_rank/0",
        "weights/effective_rank/0",
        "weights/participation_ratio/0",
        "weights/top_energy/0",
    }


class OddParameters(nn.Module):
    """Parameters that have no spectrum, or no real one, beside one that has."""

    def __init__(self):
        super().__init__()
        self.plain = nn.Linear(3, 4, bias=False)
        self.empty = nn.Parameter(torch.zeros(0, 3))
        self.narrow = nn.Parameter(torch.zeros(3, 0))
        self.waves = nn.Parameter(torch.complex(torch.eye(3), torch.eye(3)))
        self.codes = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)


@pytest.mark.parametrize("instrument", [weight_spectra(), heavy_tails(smallest=3)])
def test_empty_complex_and_whole_number_parameters_take_no_other_spectrum_with_them(instrument):
    measured = instrument(StepContext(step=0, model=OddParameters()))
    assert {key.rpartition("/")[2] for key in measured} == {"plain", "waves"}


def test_arrays_of_layers_hold_every_parameter_that_has_a_norm():
    model = OddParameters()
    arrays = layer_arrays(k=1)(StepContext(step=0, model=model))
    norms = arrays["layers/norm"]
    there = dict(zip(norms.axes["parameter"], norms.values.tolist(), strict=True))
    plain = model.plain.weight.norm().item()
    expected = {"empty": 0.0, "narrow": 0.0, "waves": math.sqrt(6), "plain.weight": plain}
    assert there == pytest.approx(expected)
    assert arrays["layers/singular_values"].axes["matrix"] == ["waves", "plain"]

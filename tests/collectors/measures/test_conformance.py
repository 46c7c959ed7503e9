"""Every public function of the measures and of what is around them: documented, exemplified, typed."""

import doctest
import importlib
import inspect
import pkgutil
import typing

import pytest
import torch
from torch import nn

from grokscope.collectors import measures
from grokscope.collectors.evaluating import update_recorder, weights
from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.measures import progress
from grokscope.collectors.measures.attention.heads import (
    attention_entropy,
    prefix_matching_score,
    previous_token_score,
)
from grokscope.collectors.measures.attention.routing import expert_load, pathway_consistency, router_entropy
from grokscope.collectors.measures.outputs.curves import curve_measures
from grokscope.collectors.measures.outputs.early import hjorth, low_frequency_share
from grokscope.collectors.measures.outputs.groups import group_losses, macro_accuracy
from grokscope.collectors.measures.outputs.in_context import in_context_score
from grokscope.collectors.measures.outputs.margins import layer_margin, relative_margin
from grokscope.collectors.measures.outputs.reliability import brier_score, calibration_error, risk_coverage
from grokscope.collectors.measures.representation.collapse import nc1
from grokscope.collectors.measures.representation.dimension import two_nn
from grokscope.collectors.measures.representation.probe import ridge_probe
from grokscope.collectors.measures.representation.similarity import cka
from grokscope.collectors.measures.representation.simplex import class_means, nc2_angles, nc2_norms, nc3, nc4
from grokscope.collectors.measures.representation.spectrum import (
    alpha_req,
    covariance_spectrum,
    rankme,
    spectral_entropy,
    variance_participation,
)
from grokscope.collectors.measures.representation.units import dead_share, sparsity, unit_gini
from grokscope.collectors.measures.updates.noise_scale import gradient_moments, noise_scale
from grokscope.collectors.measures.updates.second_moments import second_moment_measures
from grokscope.collectors.measures.updates.steps import alignment, decay_split
from grokscope.collectors.measures.updates.trajectory import trajectory_measures
from grokscope.collectors.measures.weights.movement import angle_from_init, distance_from_init, update_ratio
from grokscope.collectors.measures.weights.norms import weight_norms
from grokscope.collectors.measures.weights.spectra import spectral_measures
from grokscope.collectors.tensors import functional, predictions
from grokscope.collectors.tensors import singular_values as singular
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.schemas.metrics.table import find_metric

MODULES = [
    weights,
    functional,
    predictions,
    singular,
    update_recorder,
    progress,
    *(
        importlib.import_module(m.name)
        for m in pkgutil.walk_packages(measures.__path__, f"{measures.__name__}.")
        if m.name.count(".") > 3  # those of a topic
    ),
]
PUBLIC = {
    f"{module.__name__.removeprefix('grokscope.collectors.')}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    if inspect.isfunction(value) or inspect.isclass(value)
}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}


def test_the_walk_finds_the_measures():
    assert {"curves.loss", "norms.weight_norm", "spectra.effective_rank", "collapse.nc1"} <= {
        name.partition(".")[2].partition(".")[2] for name in PUBLIC
    }


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_documented_with_an_example_its_source_and_its_cost(name):
    text = inspect.getdoc(PUBLIC[name]) or ""
    examples = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name)
    is_record = hasattr(PUBLIC[name], "__dataclass_fields__")
    assert text.splitlines()[0].endswith((".", ":", "``"))
    assert is_record or any(test.examples for test in examples)
    if name in FUNCTIONS:
        assert "Source:" in text
        assert "Cost:" in text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_and_result_is_typed_and_options_are_keyword_only(name):
    function = FUNCTIONS[name]
    signature = inspect.signature(function)
    assert set(typing.get_type_hints(function)) == {*signature.parameters, "return"}
    options = [p for p in signature.parameters.values() if p.default is not p.empty]
    positional = [p.name for p in options if p.kind is not p.KEYWORD_ONLY]
    allowed = {
        "tapped": ["name"],
        "vector_norm": ["order"],
    }
    assert positional == allowed.get(name.rpartition(".")[2], [])


def everything():
    """One reading of all there is: a split, the weights, an update."""
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD([{"params": [p]} for p in model.parameters()], lr=0.1)
    updates = UpdateRecorder(model, optimizer, is_due=lambda: True)
    init = snapshot(model)
    x, y = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    seen = forward_pass(model, (x, y))
    scatter = {"representation/nc1/test": nc1(seen.features, seen.targets, classes=2)}
    curves = curve_measures(seen.logits, seen.targets)
    split = {f"test/{quantity}": value for quantity, value in curves.items()}
    norms = weight_measures(model, init=init, optimizer=optimizer)
    return split | scatter | norms | updates.pop()


def test_every_key_is_known_to_schemas_and_every_value_is_a_float_scalar():
    reading = everything()
    assert [key for key in reading if find_metric(key) is None] == []
    assert {
        key for key, v in reading.items() if v.ndim or not v.is_floating_point() or v.requires_grad
    } == set()


def of_representations(features, targets):
    variances, means = (
        covariance_spectrum(features),
        class_means(features, targets, classes=3),
    )
    yield from (spectral_entropy(variances), variance_participation(variances))
    yield from (alpha_req(variances), rankme(features), two_nn(features))
    yield from (nc2_norms(means), nc2_angles(means), nc3(means, means))
    yield from (nc4(features, features, means), cka(features, features))
    yield from (
        ridge_probe(features, targets, features, targets, classes=3),
        unit_gini(features),
    )
    yield from (dead_share(features), sparsity(features))
    yield from (macro_accuracy(features, targets), relative_margin(features, targets))
    yield from (layer_margin(features, targets, [means]),)
    yield group_losses(features, targets, targets, count=3).sum()
    yield from (brier_score(features, targets), risk_coverage(features, targets))
    yield calibration_error(features, targets)


def of_updates(parameters):
    yield from (angle_from_init(parameters, parameters), alignment(parameters, parameters))
    yield from decay_split(parameters, parameters)
    yield noise_scale(*gradient_moments(parameters, parameters, half=4))
    yield from second_moment_measures(parameters, epsilon=1e-8).values()
    yield from trajectory_measures(torch.empty(4, 6, device="meta")).values()
    yield from hjorth(torch.empty(9, device="meta"))
    yield low_frequency_share(torch.empty(9, device="meta"))


def of_sequences():
    patterns, tokens = torch.empty(1, 2, 1, 5, 5, device="meta"), torch.empty(2, 5, device="meta")
    yield from (attention_entropy(patterns).sum(), previous_token_score(patterns).sum())
    yield from (prefix_matching_score(patterns, tokens).sum(), router_entropy(tokens))
    yield from (expert_load(tokens).sum(), pathway_consistency([tokens, tokens]))
    yield in_context_score(tokens, early=1, late=4)


def test_no_measure_reads_a_value_back_from_its_device():
    # The meta device holds no values: whatever asks for one raises.
    logits, targets = torch.empty(8, 3, device="meta"), torch.empty(8, device="meta", dtype=torch.int64)
    parameters = [torch.empty(3, 2, device="meta"), torch.empty(2, device="meta")]
    read = [
        *curve_measures(logits, targets).values(),
        *weight_norms({"a": parameters, "b": []}).values(),
        distance_from_init(parameters, parameters),
        update_ratio(parameters, parameters),
        *spectral_measures(*singular_values(parameters[:1])).values(),
        nc1(logits, targets, classes=3),
        *of_representations(logits, targets),
        *of_updates(parameters),
        *of_sequences(),
    ]
    assert {(value.device.type, value.ndim) for value in read} == {("meta", 0)}

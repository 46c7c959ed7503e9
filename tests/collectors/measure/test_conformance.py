"""Every public function of ``measure/`` and its shells: documented, exemplified, typed, known to schemas."""

import doctest
import importlib
import inspect
import pkgutil
import typing

import pytest
import torch
from torch import nn

from grokscope.collectors import measure
from grokscope.collectors.evaluating import update_recorder, weights
from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.schemas.metrics.table import find_metric

MODULES = [
    weights,
    update_recorder,
    *(
        importlib.import_module(f"{measure.__name__}.{m.name}")
        for m in pkgutil.iter_modules(measure.__path__)
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
        name.removeprefix("measure.") for name in PUBLIC
    }
    assert set(vars(measure)) >= {name.rpartition(".")[2] for name in PUBLIC if ".curves." in name}


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
    scatter = {"representation/nc1/test": measure.nc1(seen.features, seen.targets, classes=2)}
    curves = measure.curve_measures(seen.logits, seen.targets)
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
        measure.covariance_spectrum(features),
        measure.class_means(features, targets, classes=3),
    )
    yield from (measure.spectral_entropy(variances), measure.variance_participation(variances))
    yield from (measure.alpha_req(variances), measure.rankme(features), measure.two_nn(features))
    yield from (measure.nc2_norms(means), measure.nc2_angles(means), measure.nc3(means, means))
    yield from (measure.nc4(features, features, means), measure.cka(features, features))
    yield from (
        measure.ridge_probe(features, targets, features, targets, classes=3),
        measure.unit_gini(features),
    )
    yield from (measure.dead_share(features), measure.sparsity(features))
    yield from (measure.macro_accuracy(features, targets), measure.relative_margin(features, targets))
    yield from (measure.layer_margin(features, targets, [means]),)
    yield measure.group_losses(features, targets, targets, count=3).sum()
    yield from (measure.brier_score(features, targets), measure.risk_coverage(features, targets))
    yield measure.calibration_error(features, targets)


def of_updates(parameters):
    yield from (measure.angle_from_init(parameters, parameters), measure.alignment(parameters, parameters))
    yield from measure.decay_split(parameters, parameters)
    yield measure.noise_scale(*measure.gradient_moments(parameters, parameters, half=4))
    yield from measure.second_moment_measures(parameters, epsilon=1e-8).values()
    yield from measure.trajectory_measures(torch.empty(4, 6, device="meta")).values()
    yield from measure.hjorth(torch.empty(9, device="meta"))
    yield measure.low_frequency_share(torch.empty(9, device="meta"))


def of_sequences():
    patterns, tokens = torch.empty(1, 2, 1, 5, 5, device="meta"), torch.empty(2, 5, device="meta")
    yield from (measure.attention_entropy(patterns).sum(), measure.previous_token_score(patterns).sum())
    yield from (measure.prefix_matching_score(patterns, tokens).sum(), measure.router_entropy(tokens))
    yield from (measure.expert_load(tokens).sum(), measure.pathway_consistency([tokens, tokens]))
    yield measure.in_context_score(tokens, early=1, late=4)


def test_no_measure_reads_a_value_back_from_its_device():
    # The meta device holds no values: whatever asks for one raises.
    logits, targets = torch.empty(8, 3, device="meta"), torch.empty(8, device="meta", dtype=torch.int64)
    parameters = [torch.empty(3, 2, device="meta"), torch.empty(2, device="meta")]
    read = [
        *measure.curve_measures(logits, targets).values(),
        *measure.weight_norms({"a": parameters, "b": []}).values(),
        measure.distance_from_init(parameters, parameters),
        measure.update_ratio(parameters, parameters),
        *measure.spectral_measures(*measure.singular_values(parameters[:1])).values(),
        measure.nc1(logits, targets, classes=3),
        *of_representations(logits, targets),
        *of_updates(parameters),
        *of_sequences(),
    ]
    assert {(value.device.type, value.ndim) for value in read} == {("meta", 0)}

"""The costly instruments and those of a task: what they promise, they measure, and leave no trace."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker
from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.evaluating.weights import snapshot
from grokscope.collectors.measures import (
    INSTRUMENTS,
    commutator,
    compression,
    cut_weights,
    dropout,
    heavy_tails,
    hessian_spread,
    last_layer_flatness,
    learning_coefficient,
    regions,
    sharpness,
    sparse_parity,
    synergy,
    tangent_alignment,
)
from grokscope.collectors.measures.complexity.dropout import dropping
from grokscope.collectors.measures.curvature.learning_coefficient import Sampling
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.measures.outputs.ranks import accuracy
from grokscope.collectors.measures.subset import Subset, take
from grokscope.collectors.measures.table import all_measures
from grokscope.collectors.measures.tasks.modular_addition import modular_addition
from grokscope.collectors.tensors.functional import flat, hessian_product, loss_of, predictor, trained
from grokscope.collectors.testing import MemorySink
from grokscope.schemas import Tier, find_metric

QUICK = Sampling(chains=2, draws=4, burn_in=1)
GENERAL = {
    "sharpness": sharpness,
    "hessian_spread": hessian_spread,
    "last_layer_flatness": last_layer_flatness,
    "commutator": commutator,
    "tangent_alignment": tangent_alignment,
    "learning_coefficient": lambda: learning_coefficient(how=QUICK),
    "heavy_tails": lambda: heavy_tails(smallest=3),
    "compression": compression,
    "cut_weights": cut_weights,
    "synergy": synergy,
    "regions": regions,
    "dropout": lambda: dropout(subset=Subset(split="train")),
}
TASKS = {
    "modular_addition": lambda: modular_addition(p=5),
    "sparse_parity": lambda: sparse_parity(bits=6, relevant=[0, 1], samples=64),
}


class Sequences(nn.Module):
    """Tokens in, logits [N, T, C] out, through attention and dropout, as language models do."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.output = nn.Linear(8, 7)

    def forward(self, tokens):
        return self.output(self.block(self.embedding(tokens)))


class Pairs(nn.Module):
    """Two inputs, and a buffer that training changes."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 6), nn.Linear(2, 6)
        self.norm = nn.BatchNorm1d(6)
        self.output = nn.Linear(6, 3)

    def forward(self, left, right):
        return self.output(torch.relu(self.norm(self.left(left) + self.right(right))))


def addition(p=5):
    return nn.Sequential(nn.Embedding(p, 4), nn.Flatten(), nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, p))


def case(name):
    torch.manual_seed(0)
    if name == "sequences":
        tokens = torch.randint(0, 7, (12, 5))
        return Sequences(), (tokens, tokens.roll(-1, 1))
    if name == "pairs":
        return Pairs(), ((torch.randn(12, 3), torch.randn(12, 2)), torch.arange(12) % 3)
    if name == "parity":
        bits = torch.randint(0, 2, (30, 6)) * 2.0 - 1
        return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)), (
            bits,
            (bits[:, 0] * bits[:, 1] < 0).long(),
        )
    pairs = torch.cartesian_prod(torch.arange(5), torch.arange(5))[torch.randperm(25)][:15]
    return addition(), (pairs, pairs.sum(dim=1) % 5)


def step(model, data, optimizer):
    inputs, targets = data
    logits = model(*inputs) if isinstance(inputs, tuple) else model(inputs)
    optimizer.zero_grad()
    cross_entropy(logits.flatten(0, -2), targets.flatten()).backward()
    optimizer.step()


def context_of(name, *, optimizer=torch.optim.AdamW):
    model, data = case(name)
    held = optimizer(model.parameters(), lr=0.01)
    step(model, data, held)
    passes = {"train": forward_pass(model, data)}
    return StepContext(
        step=1, model=model, optimizer=held, init=snapshot(model), splits={"train": data}, passes=passes
    )


def everything(context, makers):
    with preserved_state(context.model):
        return {key: value for make in makers.values() for key, value in make()(context).items()}


def test_every_row_of_the_tables_is_measured_and_every_key_is_in_them():
    values = everything(context_of("addition"), GENERAL | TASKS | {"sparse_parity": lambda: lambda _: {}})
    values |= everything(context_of("parity"), {"sparse_parity": TASKS["sparse_parity"]})
    values |= everything(context_of("sequences"), {"dropout": GENERAL["dropout"]})
    assert [key for key in values if find_metric(key) is None] == []
    promised = {one for make in INSTRUMENTS if make.name in GENERAL | TASKS for one in make.measures}
    assert {find_metric(key) for key in values} == promised
    assert {one for one in all_measures() if one.tier is Tier.COSTLY or one.family == "task"} == promised


@pytest.mark.parametrize("name", ["addition", "parity", "sequences", "pairs"])
def test_every_value_is_a_finite_scalar_within_its_bounds_on_any_kind_of_model(name):
    values = everything(context_of(name), GENERAL)
    assert {"curvature/sharpness", "curvature/commutator", "curvature/llc"} <= values.keys()
    for key, value in values.items():
        row, number = find_metric(key), float(value)
        assert not isinstance(value, torch.Tensor) or (value.ndim == 0 and not value.requires_grad)
        assert number == number or "tail" in key, key  # noqa: PLR0124 - tiny matrices have no tail
        assert row.low is None or number != number or number >= row.low, key  # noqa: PLR0124
        assert row.high is None or number <= row.high + 1e-6, key


def state(model, optimizer):
    tensors = [*model.state_dict().values(), *(p.grad for p in model.parameters())]
    moments = [v for s in optimizer.state.values() for v in s.values()]
    return [t.clone() for t in [*tensors, *moments, torch.get_rng_state()]]


@pytest.mark.parametrize(
    ("instrument", "name"),
    [
        *itertools.product(GENERAL, ["addition", "sequences", "pairs"]),
        ("modular_addition", "addition"),
        ("sparse_parity", "parity"),
    ],
)
def test_an_instrument_leaves_no_trace(instrument, name):
    context = context_of(name)
    model = context.model.train()
    before, modes = state(model, context.optimizer), [m.training for m in model.modules()]
    hooks = [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules()]
    one = (GENERAL | TASKS)[instrument]()
    with preserved_state(model):
        one(context)
    after = state(model, context.optimizer)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert [m.training for m in model.modules()] == modes
    assert [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules()] == hooks
    assert all(p.requires_grad and p.is_leaf for p in model.parameters())


@pytest.mark.parametrize("instrument", GENERAL)
def test_the_same_reading_twice_gives_the_same_values(instrument):
    context = context_of("addition")
    one = GENERAL[instrument]()
    with preserved_state(context.model):
        values = [{k: float(v) for k, v in one(context).items()} for _ in range(2)]
    # A warm start may stop earlier, at a slightly different vector.
    assert values[0].keys() == values[1].keys()
    counted = [k for k in values[0] if not any(w in k for w in ("iterations", "residual", "dropout"))]
    assert [values[0][k] for k in counted] == pytest.approx([values[1][k] for k in counted], rel=1e-3)


@pytest.mark.parametrize("instrument", GENERAL)
def test_without_its_split_or_pass_an_instrument_measures_nothing_of_the_data(instrument):
    values = GENERAL[instrument]()(StepContext(step=0, model=addition()))
    assert {key.split("/")[1] for key in values} <= {"tail_exponent", "tail_count", "correlation_traps"}


def test_sharpness_is_the_dense_hessians_on_the_first_samples_and_adams_with_its_preconditioner():
    context = context_of("addition")
    inputs, targets = (part[:9] for part in context.splits["train"])
    parameters = list(trained(context.model).values())
    product = hessian_product(loss_of(predictor(context.model, inputs), targets), parameters)
    dense = torch.stack([product(unit) for unit in torch.eye(flat(parameters).numel())])
    one = sharpness(subset=Subset(samples=9), tolerance=1e-4)
    with preserved_state(context.model):
        values = one(context)
        warm = one(context)
    assert values["curvature/sharpness"].item() == pytest.approx(
        torch.linalg.eigvalsh(dense)[-1].item(), rel=1e-3
    )
    moments = [context.optimizer.state[p] for p in context.model.parameters()]
    scale = flat([((m["exp_avg_sq"] / (1 - 0.999)).sqrt() + 1e-8) for m in moments]).rsqrt()
    top = torch.linalg.eigvalsh((scale.unsqueeze(1) * dense * scale).double())[-1].item()
    assert values["curvature/preconditioned_sharpness"].item() == pytest.approx(top, rel=1e-3)
    assert values["curvature/edge_ratio"].item() == pytest.approx(top / (3.8 / (0.1 * 0.01)), rel=1e-3)
    assert warm["curvature/sharpness_iterations"] < values["curvature/sharpness_iterations"]


def test_gradient_descent_is_beside_its_own_edge():
    context = context_of("addition", optimizer=torch.optim.SGD)
    with preserved_state(context.model):
        values = sharpness()(context)
    assert "curvature/preconditioned_sharpness" not in values
    ratio = values["curvature/sharpness"] / (2 / 0.01)
    assert values["curvature/edge_ratio"].item() == pytest.approx(ratio.item())


def test_a_criterion_of_ones_own_is_what_curves():
    context = context_of("addition")
    thrice = Subset(criterion=lambda logits, targets: 3 * cross_entropy(logits, targets))
    with preserved_state(context.model):
        values = [sharpness(subset=s, tolerance=1e-4)(context) for s in (Subset(), thrice)]
    once, more = (value["curvature/sharpness"].item() for value in values)
    assert more == pytest.approx(3 * once, rel=1e-3)


def test_dropout_drops_and_nothing_else_trains():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))
    x = torch.randn(40, 4)
    with preserved_state(model):
        y = model(x).argmax(dim=1)  # whatever it says is right, so that only masks make mistakes
        values = dropout(draws=200)(StepContext(step=0, model=model, splits={"test": (x, y)}))
    mean, variance = (values[f"representation/dropout_{q}/test"].item() for q in ("accuracy", "variance"))
    assert 0.6 < mean < 1
    assert 0 < variance < mean * (1 - mean)
    assert model[1].num_batches_tracked == 0
    with preserved_state(model), dropping(model):
        by_hand = torch.stack([accuracy(model(x), y) for _ in range(200)])
    assert by_hand.mean().item() == pytest.approx(mean, abs=0.03)
    assert by_hand.var().item() == pytest.approx(variance, rel=0.5)


def test_samples_count_targets_so_that_sequences_cost_no_more():
    context = context_of("sequences")
    assert [take(context, Subset(samples=n)).targets.shape for n in (1, 10, 12, 999)] == [
        (1, 5),
        (2, 5),
        (2, 5),
        (12, 5),
    ]


def test_a_tracker_holds_them_and_training_goes_on_as_without():
    ends = []
    for measures in ([], [make() for make in GENERAL.values()]):
        model, data = case("addition")
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        sink = MemorySink()
        with Tracker(
            model,
            optimizer,
            experiment="example",
            measures=measures,
            measuring=Measuring(budget=1e9),
            sink=sink,
        ) as tracker:
            for at in range(4):
                tracker.evaluate(at, train=data)
                step(model, data, optimizer)
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*ends)
    logged = {key for _, key, _ in sink.rows()}
    assert {"curvature/sharpness", "curvature/llc_r_hat", "weights/compressed_bits"} <= logged
    assert "collector/seconds/sharpness" in logged

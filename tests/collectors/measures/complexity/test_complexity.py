"""Compressed sizes against entropies, cut weights and crossed regions against closed forms."""

import math
import zlib

import numpy as np
import pytest
import torch
from torch import nn

from grokscope.collectors.measures.complexity.circuits import circuit_complexity
from grokscope.collectors.measures.complexity.compression import coarsest_step, compressed_bits
from grokscope.collectors.measures.complexity.regions import local_complexity
from grokscope.collectors.tensors.functional import predictor, trained


@pytest.mark.parametrize(("levels", "bits"), [(2, 1), (4, 2), (16, 4), (256, 8)])
def test_uniform_codes_need_their_entropy(levels, bits):
    codes = torch.randint(0, levels, (40_000,), generator=torch.Generator().manual_seed(0)) - levels // 2
    found = compressed_bits([0.25 * codes[:10_000], 0.25 * codes[10_000:].view(100, 300)], step=0.25)
    assert bits <= found < 1.3 * bits  # bzip2's own cost


def test_the_size_is_that_of_the_rounded_codes_in_order():
    parameters = [torch.tensor([0.4, -0.6, 1.49]), torch.tensor([[100.0]])]
    codes = np.array([0, -1, 1, 100], dtype=np.int8)
    assert compressed_bits(parameters, step=1.0, compress=zlib.compress) == 2 * len(zlib.compress(codes))
    wide = np.array([0, -6, 15, 1000], dtype=np.int16)
    assert compressed_bits(parameters, step=0.1, compress=zlib.compress) == 2 * len(zlib.compress(wide))


@pytest.mark.parametrize("step", [0.0, -1.0])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(ValueError, match="step must be above 0 and parameters not empty"):
        compressed_bits([torch.ones(1)], step=step)
    with pytest.raises(ValueError, match="parameters not empty"):
        compressed_bits([torch.zeros(0)], step=1.0)


def test_weights_that_are_0_need_no_bits_and_diverged_ones_have_none():
    def loss(p):
        return sum(part.sum() for part in p)

    zeros, diverged = [torch.zeros(0), torch.zeros(90_000)], [torch.tensor([1.0, math.nan])]
    assert coarsest_step(loss, zeros, tolerance=0.1) == math.inf
    assert compressed_bits(zeros, step=math.inf) < 0.01
    assert math.isnan(coarsest_step(loss, diverged, tolerance=0.1))
    assert math.isnan(compressed_bits(diverged, step=1.0))
    assert math.isnan(compressed_bits(diverged, step=math.nan))


def test_the_coarsest_step_keeps_the_loss_and_the_next_coarser_one_does_not():
    theta = [torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)]

    def loss(p):
        return (p[0] - theta[0]).square().mean()

    for tolerance in (1e-1, 1e-3, 1e-6):
        step = coarsest_step(loss, theta, tolerance=tolerance)
        rounded = [[(t / s).round() * s for t in theta] for s in (step, step * 2**0.5)]
        assert loss(rounded[0]) <= tolerance < loss(rounded[1])


def test_a_loss_that_does_not_mind_allows_zeros_and_one_that_minds_all_the_finest():
    theta = [torch.tensor([0.3, 0.7])]
    assert coarsest_step(lambda p: 0 * p[0].sum(), theta, tolerance=0.0) == pytest.approx(1.4)
    finest = coarsest_step(lambda p: torch.tensor(float(p is not theta)), theta, tolerance=0.0)
    assert finest == pytest.approx(0.7 * 2 ** (1 - 47 / 2))


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="tolerance must be at least 0 nats"):
        coarsest_step(lambda p: p[0].sum(), [torch.ones(1)], tolerance=-1.0)


def test_cutting_one_weight_at_a_time_costs_the_expected_divergence():
    # Logits (w, 0): kept or cut, the mean over draws tends to share · KL(p(w) ‖ uniform).
    weight = [torch.tensor([[2.0]])]

    def predict(p):
        return torch.cat([p[0], torch.zeros(1, 1)], dim=1)

    p = torch.tensor(2.0).sigmoid()
    entropy = -(p * p.log() + (1 - p) * (1 - p).log())
    generator = torch.Generator().manual_seed(0)
    found = circuit_complexity(predict, weight, generator=generator, share=0.3, draws=5000)
    assert found.item() == pytest.approx(0.3 * (math.log(2) - entropy.item()), rel=0.06)


def test_nothing_cut_changes_nothing_and_unusable_shares_are_refused():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    predict, parameters = predictor(model, torch.randn(5, 3)), list(trained(model).values())
    generator = torch.Generator().manual_seed(0)
    assert circuit_complexity(predict, parameters, generator=generator, share=0.0) == 0
    assert circuit_complexity(predict, parameters, generator=generator, share=0.5) > 0
    with pytest.raises(ValueError, match=r"share must lie in \[0, 1\]"):
        circuit_complexity(predict, parameters, generator=generator, share=1.5)


class Units(nn.Module):
    """Units with boundaries at known distances, in whatever way the rectifier is called."""

    def __init__(self, rectify):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 4.0]]))
        self.offset = nn.Parameter(torch.tensor([0.1, 1.0, -2.0]))
        self.rectify = rectify

    def forward(self, x):
        return self.rectify(x @ self.weight.T + self.offset)


RECTIFIERS = [
    torch.relu,
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.functional.relu,
    lambda x: x.relu(),
    nn.LeakyReLU(),
    nn.GELU(),
    nn.functional.silu,
]


@pytest.mark.parametrize("rectify", RECTIFIERS, ids=lambda r: getattr(r, "__name__", type(r).__name__))
@pytest.mark.parametrize(("radius", "crossed"), [(0.01, 0), (0.2, 1), (0.62, 2), (1.6, 3)])
def test_units_whose_boundary_is_within_reach_are_counted(rectify, radius, crossed):
    # From the origin the boundaries are 0.1, 1 and 0.4 away; two orthonormal directions reach a boundary
    # at distance h for sure from √2 h on, and never below h.
    found = local_complexity(
        Units(rectify), torch.zeros(4, 2), radius=radius, generator=torch.Generator().manual_seed(0)
    )
    assert found == crossed


def test_the_count_is_that_of_the_vertices_of_the_cross_polytope():
    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 2))
    x = torch.randn(5, 6, generator=generator)
    found = local_complexity(model, x, radius=0.3, generator=torch.Generator().manual_seed(2), directions=3)
    drawn = torch.randn(6, 3, generator=torch.Generator().manual_seed(2))
    vectors = 0.3 * torch.linalg.qr(drawn)[0].T
    sides = [
        torch.cat([model[:1](x + s * v) > 0, model[:3](x + s * v) > 0], dim=1)
        for v in vectors
        for s in (1, -1)
    ]
    crossed = torch.stack(sides).float().mean(dim=0)
    assert found == ((crossed > 0) & (crossed < 1)).sum(dim=1).float().mean()


def test_tokens_are_shifted_where_the_embedding_has_read_them():
    model = nn.Sequential(nn.Embedding(3, 2), Units(torch.relu), nn.Flatten())
    nn.init.zeros_(model[0].weight)
    tokens = torch.tensor([[0, 1], [2, 2]])
    # Two positions of three units, every position shifted alike.
    found = local_complexity(model, tokens, radius=0.2, generator=torch.Generator().manual_seed(0))
    assert found == 2


def test_what_has_no_regions_or_no_way_in_is_not_measured():
    generator = torch.Generator()
    assert local_complexity(nn.Linear(2, 2), torch.zeros(3, 2), radius=1.0, generator=generator) is None
    assert (
        local_complexity(lambda t: t.float().relu(), torch.arange(3), radius=1.0, generator=generator) is None
    )
    with pytest.raises(ValueError, match="radius must be above 0"):
        local_complexity(nn.ReLU(), torch.zeros(3, 2), radius=0.0, generator=generator)

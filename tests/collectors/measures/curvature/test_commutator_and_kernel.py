"""The commutator defect against its closed form, the tangent kernel against per-sample Jacobians."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

from grokscope.collectors.measures.curvature.commutator import commutator_defect
from grokscope.collectors.measures.curvature.tangent_kernel import kernel_alignment, tangent_kernel
from grokscope.collectors.tensors.functional import predictor, trained
from grokscope.collectors.tensors.signs import random_signs


def quadratic(matrix, offset):
    return lambda p: 0.5 * p[0] @ matrix @ p[0] + offset @ p[0]


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("seed", range(3))
def test_of_two_quadratics_it_is_the_bracket_whatever_the_size_of_the_gradients(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    a, b = (m @ m.T for m in torch.randn(2, 4, 4, generator=generator))
    u, v, theta = torch.randn(3, 4, generator=generator)
    first, second = scale * (a @ theta + u), scale * (b @ theta + v)
    bracket = (b @ first - a @ second).norm() / (first.norm() * second.norm()) * scale
    defect = commutator_defect(
        lambda p: scale * quadratic(a, u)(p), lambda p: scale * quadratic(b, v)(p), [theta]
    )
    assert defect.item() == pytest.approx(bracket.item(), rel=1e-3)


def test_it_is_the_distance_between_the_two_orders_of_two_small_steps():
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    generator = torch.Generator().manual_seed(0)
    batches = [(torch.randn(6, 3, generator=generator).double(), torch.arange(6) % 2) for _ in range(2)]
    losses = [lambda p, x=x, y=y: nn.functional.cross_entropy(predictor(model, x)(p), y) for x, y in batches]
    start = {name: p.clone() for name, p in trained(model).items()}
    lr, ends, norms = 1e-4, [], []
    for order in (batches, batches[::-1]):
        model.load_state_dict(start)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        for index, (x, y) in enumerate(order):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            if not index:
                norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm())
            optimizer.step()
        ends.append(nn.utils.parameters_to_vector(model.parameters()).detach())
    by_hand = (ends[0] - ends[1]).norm() / (lr**2 * norms[0] * norms[1])
    assert commutator_defect(*losses, list(start.values())).item() == pytest.approx(by_hand.item(), rel=1e-3)


def test_one_batch_twice_commutes_and_a_flat_one_has_no_defect():
    loss = quadratic(torch.eye(2), torch.ones(2))
    assert commutator_defect(loss, loss, [torch.ones(2)]) == 0
    assert commutator_defect(loss, lambda p: 0 * p[0].sum(), [torch.ones(2)]).isnan()


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()


def test_the_kernel_is_that_of_the_per_sample_jacobians():
    model, inputs = network(), torch.arange(6)
    parameters = trained(model)
    jacobian = jacrev(lambda p: functional_call(model, p, (inputs,)))(parameters)
    table = torch.cat([part.reshape(6, 3, -1) for part in jacobian.values()], dim=2)
    exact = torch.einsum("icp,jcp->ij", table, table)
    kernel = tangent_kernel(predictor(model, inputs), list(parameters.values()), outputs=torch.eye(3))
    torch.testing.assert_close(kernel, exact)


def test_random_signs_estimate_the_sum_over_classes():
    model, inputs = network(), torch.arange(6)
    parameters = list(trained(model).values())
    exact = tangent_kernel(predictor(model, inputs), parameters, outputs=torch.eye(3))
    signs = random_signs(200, 3, generator=torch.Generator().manual_seed(0))
    estimate = tangent_kernel(predictor(model, inputs), parameters, outputs=signs) / 200
    assert ((estimate - exact).norm() / exact.norm()).item() < 0.1


def test_a_linear_model_has_the_kernel_of_its_inputs():
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    model = nn.Linear(4, 3, bias=False)
    kernel = tangent_kernel(predictor(model, x), list(trained(model).values()), outputs=torch.eye(3))
    torch.testing.assert_close(kernel, 3 * x @ x.T)


def test_alignment_is_the_correlation_of_the_centred_kernels():
    drawn = torch.randn(8, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kernel, targets = drawn @ drawn.T, torch.arange(8) % 3
    centre = torch.eye(8, dtype=torch.float64) - 1 / 8
    labels = (targets.unsqueeze(0) == targets.unsqueeze(1)).double()
    left, right = centre @ kernel @ centre, centre @ labels @ centre
    by_hand = (left * right).sum() / (left.norm() * right.norm())
    assert kernel_alignment(kernel, targets, classes=3).item() == pytest.approx(by_hand.item())
    assert kernel_alignment(labels * 4 + 2, targets, classes=3).item() == pytest.approx(1)


def test_alignment_of_what_does_not_match_is_refused():
    with pytest.raises(ValueError, match=r"kernel must be \[N, N\] for targets \[N\]"):
        kernel_alignment(torch.eye(3), torch.zeros(4).long(), classes=2)

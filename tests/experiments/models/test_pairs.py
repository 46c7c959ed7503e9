"""Networks that read pairs."""

import torch

from grokscope.experiments.models.pairs import PairsMLP


def test_the_model_is_the_plain_mlp_of_two_embeddings():
    torch.manual_seed(0)
    model = PairsMLP(5, 8, 16)
    pairs = torch.tensor([[1, 2], [4, 4]])
    e, a, b, u = (parameter for _, parameter in model.named_parameters())
    expected = torch.relu(e[pairs[:, 0]] @ a.T + e[pairs[:, 1]] @ b.T) @ u.T
    assert torch.allclose(model(pairs), expected, atol=1e-6)


def test_weights_start_with_a_variance_of_one_over_what_a_unit_reads():
    torch.manual_seed(0)
    model = PairsMLP(200, 64, 256)
    spreads = {name: one.std() * one.shape[1] ** 0.5 for name, one in model.named_parameters()}
    assert list(spreads) == ["embedding.weight", "left.weight", "right.weight", "output.weight"]
    assert all(abs(spread - 1) < 0.05 for spread in spreads.values())

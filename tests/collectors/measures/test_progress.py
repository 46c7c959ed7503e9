"""FLOPs against the sums one does by hand, over shapes."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from grokscope.collectors.measures.progress import forward_flops, training_flops_per_example


@pytest.mark.parametrize(("batch", "inputs", "outputs"), [(1, 1, 1), (5, 3, 4), (7, 48, 128)])
def test_a_linear_layer_costs_two_per_weight_and_example(batch, inputs, outputs):
    model = nn.Linear(inputs, outputs, bias=False)
    assert forward_flops(model, torch.zeros(batch, inputs)) == 2 * batch * inputs * outputs
    assert training_flops_per_example(model, torch.zeros(batch, inputs)) == 3 * 2 * inputs * outputs


def test_a_convolution_costs_two_per_tap_and_output():
    model = nn.Conv2d(3, 8, kernel_size=5, padding=2)
    assert forward_flops(model, torch.zeros(2, 3, 16, 16)) == 2 * (2 * 8 * 16 * 16) * (3 * 5 * 5)


def test_several_inputs_go_in_as_a_tuple():
    model, tokens = nn.MultiheadAttention(8, 2, bias=False, batch_first=True), torch.zeros(2, 6, 8)
    # Four d x d projections, and scores and mixture: 2 · 2 · T² · d a sequence.
    assert forward_flops(model, (tokens, tokens, tokens)) == 2 * (4 * 2 * 6 * 8 * 8 + 2 * 2 * 6 * 6 * 8)


def test_a_transformer_layer_is_counted_though_evaluation_would_fuse_it_out_of_sight():
    width, hidden, length = 8, 16, 6
    layer = nn.TransformerEncoderLayer(width, 2, hidden, batch_first=True)
    projections = 4 * 2 * length * width**2 + 2 * 2 * length**2 * width
    expected = 3 * (projections + 2 * 2 * length * width * hidden)
    assert forward_flops(layer, torch.zeros(3, length, width)) == expected
    assert torch.backends.mha.get_fastpath_enabled()


def test_look_ups_and_activations_are_not_counted():
    assert forward_flops(nn.Sequential(nn.Embedding(5, 4), nn.ReLU()), torch.zeros(3).long()) == 0


def test_training_counts_what_torch_counts_forward_and_backward():
    model, inputs = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)), torch.zeros(3, 6)
    with FlopCounterMode(display=False) as counter:
        model(inputs.requires_grad_()).sum().backward()
    assert training_flops_per_example(model, inputs) * 3 == counter.get_total_flops()


@pytest.mark.parametrize("inputs", [torch.zeros(0, 3), torch.tensor(1.0), (torch.zeros(0, 3),)])
def test_an_empty_batch_has_no_cost_per_example(inputs):
    with pytest.raises(ValueError, match="FLOPs need a batch of at least one example, got shape"):
        training_flops_per_example(nn.Linear(3, 3), inputs)


def test_counting_leaves_the_model_in_training_mode_with_its_statistics():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())
    state = torch.get_rng_state()
    forward_flops(model, torch.randn(4, 3, generator=torch.Generator().manual_seed(0)))
    assert [m.training for m in model.modules()] == [True] * 4
    assert model[1].num_batches_tracked.item() == 0
    assert torch.equal(torch.get_rng_state(), state)

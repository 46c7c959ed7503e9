"""Modular arithmetic with a transformer: what it reads, its settings, and a short run."""

import pytest
import torch
from torch import nn

from grokscope.experiments.algorithmic.modular_arithmetic_transformer import (
    MODULAR_ARITHMETIC_TRANSFORMER,
    ModularArithmeticTransformer,
    as_tokens,
    prepare,
)
from grokscope.experiments.algorithmic.tables import operation_table


def test_a_pair_is_read_as_x_op_y_equals():
    assert as_tokens(torch.tensor([[3, 4], [0, 2]]), 5).tolist() == [[3, 5, 4, 6], [0, 5, 2, 6]]


def test_the_model_has_a_logit_a_residue_at_the_last_place_alone():
    training = prepare(ModularArithmeticTransformer(p=7))
    tokens, results = training.splits["train"]
    assert training.model(tokens).shape == (len(tokens), 7)
    pairs, expected = operation_table("x+y", 7, ModularArithmeticTransformer().train_fraction, 0)[0]
    assert torch.equal(tokens, as_tokens(pairs, 7))
    assert torch.equal(results, expected)


def test_the_initial_weights_come_from_the_seed_alone():
    first, again, other = (
        nn.utils.parameters_to_vector(prepare(ModularArithmeticTransformer(seed=seed)).model.parameters())
        for seed in (0, 0, 1)
    )
    assert first.equal(again)
    assert not first.equal(other)


def test_linear_layers_start_with_a_variance_of_one_over_their_inputs_and_without_biases():
    model = prepare(ModularArithmeticTransformer(width=128, hidden=256)).model
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    assert len(layers) == 7  # four of attention, two of the MLP, and the output
    assert all(abs(one.weight.std() * one.in_features**0.5 - 1) < 0.05 for one in layers)
    assert all(one.bias is None or not one.bias.any() for one in layers)


def test_the_sizes_stand_on_the_axis_of_scale():
    params = ModularArithmeticTransformer().describe().to_params()
    assert {name: value for name, value in params.items() if name.startswith("compute.scale.")} == {
        "compute.scale.width": 64,
        "compute.scale.depth": 1,
        "compute.scale.hidden": 128,
    }


@pytest.mark.parametrize("arm", MODULAR_ARITHMETIC_TRANSFORMER.arms, ids=lambda arm: arm.group)
def test_each_arm_trains(curves_of, arm):
    curves = curves_of(MODULAR_ARITHMETIC_TRANSFORMER, **arm.settings | {"steps": 3, "p": 7})
    assert curves["train/loss"][3] < curves["train/loss"][0]
    assert curves["test/accuracy"].keys() == {0, 1, 2, 3}

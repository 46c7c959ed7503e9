"""Modular arithmetic with an MLP: its data, its model, its arms."""

import pytest
import torch

from grokscope.experiments import cells_of_arms
from grokscope.experiments.algorithmic.modular_arithmetic import (
    MODULAR_ARITHMETIC,
    ModularArithmetic,
    ResiduesMLP,
)
from grokscope.experiments.algorithmic.tables import operation_table


def test_the_table_is_split_without_overlap_and_holds_every_sum():
    (train_pairs, train_sums), (test_pairs, test_sums) = operation_table("x+y", 7, 0.5, 3)
    pairs = torch.cat([train_pairs, test_pairs])
    assert (len(train_pairs), len(test_pairs)) == (24, 25)
    assert sorted(map(tuple, pairs.tolist())) == [(a, b) for a in range(7) for b in range(7)]
    assert torch.equal(torch.cat([train_sums, test_sums]), pairs.sum(1) % 7)


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (operation_table("x+y", 11, 0.4, seed)[0][0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0])
def test_a_split_without_a_side_is_refused(fraction):
    with pytest.raises(ValueError, match="train_fraction must leave examples on both sides"):
        operation_table("x+y", 5, fraction, 0)


def test_the_model_is_the_plain_mlp_of_two_embeddings():
    torch.manual_seed(0)
    model = ResiduesMLP(5, 8, 16)
    pairs = torch.tensor([[1, 2], [4, 4]])
    e, a, b, u = (p for _, p in model.named_parameters())
    expected = torch.relu(e[pairs[:, 0]] @ a.T + e[pairs[:, 1]] @ b.T) @ u.T
    assert torch.allclose(model(pairs), expected, atol=1e-6)


def test_a_run_describes_itself_on_the_surveys_axes():
    recipe = ModularArithmetic(group="g", seed=4, weight_decay=0.5)
    params = {k: str(v) for k, v in recipe.describe().to_params().items()}
    assert params["intervention.regularization.weight_decay"] == "0.5"
    assert params["intervention.data.fraction"] == "0.5"
    assert params["seed"] == "4"


def test_the_demo_has_six_runs_that_grok_and_six_controls():
    cells = cells_of_arms(MODULAR_ARITHMETIC, into="modular-addition")
    counts = {arm.group: sum(cell.group == arm.group for cell in cells) for arm in MODULAR_ARITHMETIC.arms}
    assert counts == {"weight decay 1": 6, "no weight decay": 3, "25 % of the data": 3}
    assert len({cell.identity for cell in cells}) == len({(cell.group, cell.seed) for cell in cells}) == 12
    assert {(cell.experiment, cell.train, cell.steps) for cell in cells} == {
        ("modular-addition", "modular-arithmetic", 2500)
    }

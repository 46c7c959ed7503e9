"""Modular arithmetic with an MLP: its arms, its settings, and a short run of each operation."""

import pytest
from torch import nn

from grokscope.experiments.algorithmic.modular_arithmetic import (
    MODULAR_ARITHMETIC,
    ModularArithmetic,
    prepare,
)
from grokscope.experiments.algorithmic.tables import OPERATIONS
from grokscope.experiments.demo import DEMO_ARMS, demo_cells


def test_the_first_three_arms_are_the_demos():
    arms = [(arm.group, arm.seeds, dict(arm.settings)) for arm in MODULAR_ARITHMETIC.arms[:3]]
    assert arms == [
        ("weight decay 1", 6, {}),
        ("no weight decay", 3, {"weight_decay": 0.0}),
        ("25 % of the data", 3, {"train_fraction": 0.25}),
    ]


def test_every_operation_has_an_arm_that_groks():
    operations = [
        arm.settings.get("operation", "x+y") for arm in MODULAR_ARITHMETIC.arms if not arm.is_control
    ]
    assert sorted(map(str, operations)) == sorted(OPERATIONS)


def test_a_run_describes_itself_on_the_surveys_axes():
    assert ModularArithmetic(group="g", seed=4, weight_decay=0.5).describe().to_params() == {
        "setting": "bridge",
        "group": "g",
        "seed": 4,
        "compute.scale.embedding": 48,
        "compute.scale.hidden": 128,
        "compute.exposure.steps": 2500,
        "compute.exposure.batch": 0,
        "intervention.data.fraction": 0.5,
        "intervention.protocol.optimizer": "adamw",
        "intervention.protocol.lr": 5e-3,
        "intervention.protocol.beta1": 0.9,
        "intervention.protocol.beta2": 0.98,
        "intervention.protocol.eps": 1e-8,
        "intervention.protocol.grokfast": 0.0,
        "intervention.protocol.orthogonal_gradient": False,
        "intervention.protocol.loss": "cross_entropy",
        "intervention.regularization.weight_decay": 0.5,
        "intervention.regularization.norm_clamp": 0.0,
        "structure.architecture.kind": "mlp",
        "structure.architecture.activation": "relu",
        "structure.computation.task": "modular arithmetic",
        "structure.computation.operation": "x+y",
        "structure.computation.modulus": 47,
    }


def test_the_initial_weights_come_from_the_seed_alone():
    first, again, other = (
        nn.utils.parameters_to_vector(prepare(ModularArithmetic(seed=seed)).model.parameters())
        for seed in (0, 0, 1)
    )
    assert first.equal(again)
    assert not first.equal(other)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_trains(curves_of, operation):
    curves = curves_of(MODULAR_ARITHMETIC, operation=operation, p=5)
    assert curves["train/loss"][3] < curves["train/loss"][0]
    assert curves["test/accuracy"].keys() == {0, 1, 2, 3}


def test_the_demo_has_six_runs_that_grok_and_six_controls():
    cells = demo_cells("modular-addition")
    counts = {arm.group: sum(cell.group == arm.group for cell in cells) for arm in DEMO_ARMS}
    assert counts == {"weight decay 1": 6, "no weight decay": 3, "25 % of the data": 3}
    assert len({cell.identity for cell in cells}) == len({(cell.group, cell.seed) for cell in cells}) == 12
    assert {(cell.experiment, cell.train, cell.steps) for cell in cells} == {
        ("modular-addition", "modular-arithmetic", 2500)
    }

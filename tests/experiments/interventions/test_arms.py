"""Each experiment on interventions has arms that train, and controls beside them."""

import pytest
import torch

from grokscope.experiments.catalogue import EXPERIMENTS
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.interventions.grokfast import Grokfast

NAMES = ("weight-decay", "data-fraction", "norm-clamp", "stable-gradients", "grokfast", "muon")


@pytest.fixture(params=NAMES)
def experiment(request) -> Experiment:
    return EXPERIMENTS[request.param]


def test_arms_have_names_of_their_own_and_one_is_a_control(experiment):
    groups = [arm.group for arm in experiment.arms]
    assert sorted(set(groups)) == sorted(groups)
    assert 0 < sum(arm.is_control for arm in experiment.arms) < len(groups)


def test_each_arm_makes_a_training_whose_loss_has_a_gradient(experiment):
    for arm in experiment.arms:
        training = experiment.prepare(experiment.recipe(**{**arm.settings, "p": 7, "width": 4, "hidden": 8}))
        loss = training.loss_of(0)
        loss.backward()
        assert torch.isfinite(loss)
        assert all(one.grad is not None for one in training.model.parameters())


def test_an_intervention_is_logged_with_the_run():
    params = Grokfast(group="g").describe().to_params()
    logged = {name.rpartition(".")[2]: value for name, value in params.items()}
    assert (logged["grokfast"], logged["grokfast_memory"], logged["batch"]) == (2.0, 0.98, 64)

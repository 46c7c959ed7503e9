"""Recipes: what their settings can be, and which of them are logged."""

from dataclasses import dataclass

import pytest

from grokscope.experiments.recipe import LOSSES, OPTIMIZERS, Range, Recipe, setting
from grokscope.experiments.training.losses import loss_by_name

PROTOCOL = "intervention.protocol."


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Recipe):
    """A recipe that changes a default and adds a setting."""

    lr: float = setting(0.5, axis="protocol", says="learning rate")
    loss: str = setting("mse", axis="protocol", says="mse", allowed=("mse",))
    layers: int = setting(1, axis="scale", says="layers", allowed=Range(least=1))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 0}, "steps is at least 1, got 0"),
        ({"batch": -1}, "batch is at least 0, got -1"),
        ({"lr": 0.0}, "lr is above 0, got 0.0"),
        ({"lr": float("nan")}, "lr is above 0, got nan"),
        ({"momentum": 1.0}, "momentum is at least 0 and below 1, got 1.0"),
        ({"beta2": 1.5}, "beta2 is at least 0 and below 1, got 1.5"),
        ({"eps": -1e-8}, "eps is at least 0, got -1e-08"),
        ({"weight_decay": -0.1}, "weight_decay is at least 0, got -0.1"),
        ({"norm_clamp": -1.0}, "norm_clamp is at least 0, got -1.0"),
        ({"grokfast": -1.0}, "grokfast is at least 0, got -1.0"),
        ({"grokfast_memory": 1.0}, "grokfast_memory is at least 0 and below 1, got 1.0"),
        ({"optimizer": "lion"}, "optimizer is adamw, adam, sgd or muon, got 'lion'"),
        ({"loss": "l2"}, "loss is cross_entropy, stablemax, hinge or mse, got 'l2'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_sentence(settings, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole sentence is compared
        Recipe(**settings)
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lr": -1.0}, "lr is above 0, got -1.0"),
        ({"loss": "hinge"}, "loss is mse, got 'hinge'"),
        ({"layers": 0}, "layers is at least 1, got 0"),
    ],
)
def test_a_derived_recipe_allows_what_its_base_does_unless_it_says_otherwise(settings, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole sentence is compared
        Derived(**settings)
    assert str(error.value) == said


def test_the_names_that_recipes_allow_are_those_of_losses_that_there_are():
    assert len({loss_by_name(name) for name in LOSSES}) == len(LOSSES)


@pytest.mark.parametrize(
    ("optimizer", "logged"),
    [
        ("adamw", {"beta1": 0.9, "beta2": 0.98, "eps": 1e-8}),
        ("adam", {"beta1": 0.9, "beta2": 0.98, "eps": 1e-8}),
        ("sgd", {"momentum": 0.0}),
        ("muon", {"beta1": 0.9, "beta2": 0.98, "eps": 1e-8, "momentum": 0.95}),
    ],
)
def test_only_what_the_optimizer_uses_is_logged_of_it(optimizer, logged):
    params = Recipe(optimizer=optimizer).describe().to_params()
    named = {name: params.get(PROTOCOL + name) for name in ("beta1", "beta2", "eps", "momentum")}
    assert {name: value for name, value in named.items() if value is not None} == logged
    assert optimizer in OPTIMIZERS


def test_the_memory_of_grokfast_is_logged_where_grokfast_is_on():
    on, off = (Recipe(grokfast=amount).describe().to_params() for amount in (2.0, 0.0))
    assert (on[PROTOCOL + "grokfast_memory"], on[PROTOCOL + "grokfast"]) == (0.98, 2.0)
    assert PROTOCOL + "grokfast_memory" not in off
    assert off[PROTOCOL + "grokfast"] == 0.0

"""Biographies: a transformer recalls facts about people after a plateau on which it guesses.

A biography is a name of three tokens and a sentence for each attribute, in random order and in one of
several phrasings. The model is asked for the values; half of the phrasings of each fact are kept for the
test. Within 100 steps its loss falls to the level of guessing, log 16. It stays there, the longer the more
people there are, and then facts are learned together, whatever their phrasing; in the source, attention to
the names forms meanwhile. Facts that change from step to step leave the model at the guess for ever. Telling
about some people more often shortens the plateau of the source's models but not of this small one, which only
learns of the others later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.knowledge.answers import answering
from grokscope.experiments.knowledge.people import NAME_PARTS, People, biographies, draw_people
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

ASKED = 128
"""People at most whose facts are asked for when the model is evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Biographies(Recipe):
    """Settings of recalling facts about people with a transformer."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {
            "kind": "transformer",
            "activation": "relu",
            "normalization": "before each layer",
            "heads": 4,
        },
        "computation": {"task": "factual recall"},
    }

    steps: int = setting(2000, axis="exposure", says="optimizer steps")
    batch: int = setting(32, axis="exposure", says="biographies a step", allowed=Range(least=1))
    lr: float = setting(1.5e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.1, axis="regularization", says="decoupled weight decay")
    people: int = setting(512, axis="data", says="people that there are", allowed=Range(least=1))
    imbalance: float = setting(
        0.0, axis="data", says="exponent of how often people are told about; 0 is equally often"
    )
    are_facts_fixed: bool = setting(True, axis="data", says="whether values stay from step to step")
    attributes: int = setting(3, axis="data", says="facts about each person", allowed=Range(least=1))
    choices: int = setting(16, axis="data", says="values that an attribute has", allowed=Range(least=1))
    phrasings: int = setting(6, axis="data", says="ways to say a fact; half are trained on")
    layers: int = setting(2, axis="scale", param="depth", says="transformer blocks", allowed=Range(least=1))
    width: int = setting(64, axis="scale", says="size of the residual stream", allowed=Range(least=1))
    hidden: int = setting(128, axis="scale", says="hidden units of each block's MLP", allowed=Range(least=0))


def prepare(recipe: Biographies) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    people = draw_people(
        recipe.people,
        attributes=recipe.attributes,
        choices=recipe.choices,
        phrasings=recipe.phrasings,
        seed=recipe.seed,
    )
    model = Transformer(
        tokens=people.tokens,
        context=NAME_PARTS + 3 * recipe.attributes,
        width=recipe.width,
        layers=recipe.layers,
        mlp=recipe.hidden,
        has_norm=True,
    )
    generator = torch.Generator().manual_seed(recipe.seed)
    asked = torch.randperm(recipe.people, generator=generator)[:ASKED]
    splits = {
        name: biographies(people, asked, is_test=name == "test", generator=generator)
        for name in ("train", "test")
    }
    return answering(model, recipe, _drawing(people, recipe, generator), splits, examples=recipe.people)


def _drawing(people: People, recipe: Biographies, generator: torch.Generator) -> Callable[[], Split]:
    """Return what draws the next batch of biographies."""
    shares = torch.arange(1.0, recipe.people + 1) ** -recipe.imbalance

    def draw() -> Split:
        now = people
        if not recipe.are_facts_fixed:
            now = replace(
                people, values=torch.randint(recipe.choices, people.values.shape, generator=generator)
            )
        who = torch.multinomial(shares, recipe.batch, replacement=True, generator=generator)
        return biographies(now, who, is_test=False, generator=generator)

    return draw


RECALLS = Expectation(
    says="guesses for a while, then recalls", kinds=frozenset({Kind.GENERALIZATION}), metric="test/accuracy"
)
GUESSES = Expectation(
    says="guesses to the end",
    without=frozenset({Kind.PHASE_CHANGE, Kind.GENERALIZATION}),
    metric="test/accuracy",
)

BIOGRAPHIES = Experiment(
    name="biographies",
    title="A transformer reads biographies of 512 people and is asked for their facts in other words",
    event="generalization after a plateau",
    source="Zucchet et al. 2025, arXiv:2503.21676; Allen-Zhu & Li 2023, arXiv:2309.14316",
    recipe=Biographies,
    prepare=prepare,
    arms=(
        Arm(group="512 people", expects=RECALLS),
        Arm(group="1,024 people", settings={"people": 1024}, expects=RECALLS),
        Arm(group="some told about more often", settings={"imbalance": 0.7}, expects=RECALLS),
        Arm(group="facts that change", settings={"are_facts_fixed": False}, expects=GUESSES, is_control=True),
    ),
    seconds=20,
)

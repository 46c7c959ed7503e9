"""Two-hop reasoning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.knowledge.answers import answering
from grokscope.experiments.knowledge.fact_chains import fact_chains
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Recipe, setting
from grokscope.experiments.training.batches import batch_source
from grokscope.experiments.training.training import Training
from grokscope.schemas import Pattern
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoHopReasoning(Recipe):
    """Settings of two-hop reasoning with a transformer."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "transformer", "activation": "relu"},
        "computation": {"task": "two-hop reasoning"},
    }

    steps: int = setting(6000, axis="exposure", says="optimizer steps")
    batch: int = setting(512, axis="exposure", says="examples a step; 0 takes all")
    lr: float = setting(2e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.3, axis="regularization", says="decoupled weight decay")
    ratio: float = setting(6.0, axis="data", says="trained chains of two facts per fact that they are made of")
    shifted_share: float = setting(0.1, axis="data", says="share of the facts that are in no trained chain")
    entities: int = setting(32, axis="scale", says="entities")
    relations: int = setting(12, axis="scale", says="relations; an entity has one fact for each")
    layers: int = setting(2, axis="architecture", says="transformer blocks")
    width: int = setting(64, axis="scale", says="size of the residual stream")
    hidden: int = setting(256, axis="scale", says="hidden units of each block's MLP")


def prepare(recipe: TwoHopReasoning) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    made = fact_chains(
        recipe.entities,
        recipe.relations,
        ratio=recipe.ratio,
        shifted_share=recipe.shifted_share,
        at_most=1000,
        seed=recipe.seed,
    )
    train_set = tuple(torch.cat(pair) for pair in zip(made.facts, made.train, strict=True))
    model = Transformer(
        tokens=recipe.entities + recipe.relations,
        context=3,
        classes=recipe.entities,
        width=recipe.width,
        layers=recipe.layers,
        mlp=recipe.hidden,
        has_norm=True,
    )
    return answering(
        model,
        recipe,
        batch_source(train_set, recipe.batch, seed=recipe.seed),
        {"train": train_set, "test": made.test, "shift:unchained": made.shifted},
        examples=len(train_set[1]),
    )


GROKS = Expectation(says="memorizes first, generalizes later", patterns=frozenset({Pattern.GROKKING}))
MEMORIZES = Expectation(says="memorizes only", patterns=frozenset({Pattern.MEMORIZATION}))

TWO_HOP_REASONING = Experiment(
    name="two-hop-reasoning",
    title="A transformer reads facts and chains of two facts",
    event="grokking",
    source="Wang et al. 2024, arXiv:2405.15071",
    recipe=TwoHopReasoning,
    prepare=prepare,
    arms=(
        Arm(group="6 chains a fact", expects=GROKS),
        Arm(group="1 chain a fact", settings={"ratio": 1.0}, expects=MEMORIZES, is_control=True),
    ),
    seconds=60,
)

"""Two-hop reasoning: a transformer combines facts that it knows, if it saw enough such combinations.

The model learns a random table of facts, (entity, relation) -> entity, and chains of two of them: an entity,
two relations, and where they lead. Chains of known facts that it never saw are answered long after the
trained ones are known, if there were 8 trained chains for each fact; with 3 it learns those by heart. Chains
of facts that were in no trained chain, ``shift:unchained``, are never answered: the second block knows only
facts that it was shown as a second hop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from grokscope.experiments.expectations import MEMORIZES
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.knowledge.answers import answering
from grokscope.experiments.knowledge.fact_chains import fact_chains
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split, batch_source
from grokscope.experiments.training.splits import joined, random_split
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind, Pattern
from grokscope.schemas.runs.description import Value

ASKED = 500
"""Facts and chains of a split at most that the model is evaluated on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoHopReasoning(Recipe):
    """Settings of two-hop reasoning with a transformer."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {
            "kind": "transformer",
            "activation": "relu",
            "normalization": "before each layer",
            "heads": 4,
        },
        "computation": {"task": "two-hop reasoning"},
    }

    steps: int = setting(4000, axis="exposure", says="optimizer steps")
    batch: int = setting(256, axis="exposure", says="examples a step; 0 takes all")
    lr: float = setting(2e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.4, axis="regularization", says="decoupled weight decay")
    ratio: float = setting(
        8.0, axis="data", says="trained chains of two facts per fact that they are made of"
    )
    shifted_share: float = setting(
        0.1,
        axis="data",
        says="share of the facts that are in no trained chain",
        allowed=Range(least=0, below=1),
    )
    entities: int = setting(24, axis="data", says="entities", allowed=Range(least=1))
    relations: int = setting(
        20, axis="data", says="relations; an entity has one fact for each", allowed=Range(least=1)
    )
    layers: int = setting(2, axis="scale", param="depth", says="transformer blocks", allowed=Range(least=1))
    width: int = setting(64, axis="scale", says="size of the residual stream", allowed=Range(least=1))
    hidden: int = setting(128, axis="scale", says="hidden units of each block's MLP", allowed=Range(least=0))


def prepare(recipe: TwoHopReasoning) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    made = fact_chains(
        recipe.entities,
        recipe.relations,
        ratio=recipe.ratio,
        shifted_share=recipe.shifted_share,
        seed=recipe.seed,
    )
    train_set = joined(made.facts, made.train)
    splits = {"train": train_set, "test": made.test, "shift:unchained": made.shifted}
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
        {name: _some(split, recipe.seed) for name, split in splits.items() if len(split[1])},
        examples=len(train_set[1]),
    )


def _some(data: Split, seed: int) -> Split:
    """Return what of a split the model is evaluated on."""
    return random_split(data, ASKED, seed=seed)[0]


GROKS = Expectation(
    says="memorizes first, answers new chains later, but none of facts that were in no chain",
    patterns=frozenset({Pattern.GROKKING}),
    without=frozenset({Kind.GENERALIZATION, Kind.PHASE_CHANGE}),
    metric="shift:unchained/accuracy",
)

TWO_HOP_REASONING = Experiment(
    name="two-hop-reasoning",
    title="A transformer learns 480 facts and chains of two of them, and is asked for other chains",
    event="grokking",
    source="Wang, Yue, Su & Sun 2024, arXiv:2405.15071",
    recipe=TwoHopReasoning,
    prepare=prepare,
    arms=(
        Arm(group="8 chains a fact", expects=GROKS),
        Arm(group="3 chains a fact", settings={"ratio": 3.0}, expects=MEMORIZES, is_control=True),
    ),
    seconds=55,
)

"""Sparse inputs first: an MLP that sees the easy examples of a parity first finds it.

Few bits of a sparse input are 1, so each of the parity's five bits tells something of it; of a uniform
input no four of them together do. After 1,000 steps on sparse inputs the model knows which bits count, and
it learns the parity of uniform inputs near step 1,280. With both kinds mixed in every batch it does so near
step 1,550. With uniform inputs alone, or with sparse ones last, it guesses to the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from grokscope.experiments.curricula.parity_inputs import parity_examples
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.mlp import MLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split, batch_source, examples_a_step
from grokscope.experiments.training.classifying import classifying_batches
from grokscope.experiments.training.splits import joined
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

ORDERS = ("sparse first", "sparse last", "mixed", "uniform only")
ASKED = 1000
"""Inputs of each kind that the model is evaluated on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseFirst(Recipe):
    """Settings of learning a parity from sparse and uniform inputs."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "sparse parity"},
    }

    steps: int = setting(3000, axis="exposure", says="optimizer steps")
    batch: int = setting(64, axis="exposure", says="examples a step; 0 takes all")
    order: str = setting(
        "sparse first", axis="data", says="sparse first, sparse last, mixed or uniform only", allowed=ORDERS
    )
    sparse_steps: int = setting(
        1000, axis="data", says="steps on sparse inputs, or as many steps' share of each batch where mixed"
    )
    density: float = setting(
        0.1, axis="data", says="chance that a bit of a sparse input is 1", allowed=Range(above=0, below=1)
    )
    examples: int = setting(
        50_000, axis="data", says="inputs of each kind that are trained on", allowed=Range(least=1)
    )
    bits: int = setting(40, axis="computation", says="bits of an input", allowed=Range(least=1))
    parity_bits: int = setting(5, axis="computation", says="bits that the parity is of")
    hidden: int = setting(256, axis="scale", says="hidden units", allowed=Range(least=1))


def prepare(recipe: SparseFirst) -> Training:
    """Return the training that a recipe describes.

    Raises:
        ValueError: If a parity has more bits than there are, if more steps are sparse than there are, or if
            mixed batches hold inputs of one kind only.
    """
    few = _sparse_in_batch(recipe)
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)

    sizes = {"bits": recipe.bits, "parity_bits": recipe.parity_bits}

    def examples(count: int, density: float) -> Split:
        return parity_examples(count, density=density, generator=generator, **sizes)

    uniform, sparse = examples(recipe.examples, 0.5), examples(recipe.examples, recipe.density)
    model = MLP(recipe.bits, recipe.hidden, 2)
    return classifying_batches(
        model,
        recipe,
        _drawing(recipe, few, uniform, sparse),
        {
            "train": (uniform[0][:ASKED], uniform[1][:ASKED]),
            "test": examples(ASKED, 0.5),
            "shift:sparse": examples(ASKED, recipe.density),
        },
        batch=examples_a_step(recipe.batch, recipe.examples),
    )


def _sparse_in_batch(recipe: SparseFirst) -> int:
    """Return how many inputs of each batch are sparse if orders are mixed, else 0; refuse what cannot be."""
    if not 1 <= recipe.parity_bits <= recipe.bits:
        raise ValueError(f"parity_bits is 1 to bits ({recipe.bits}), got {recipe.parity_bits}")
    if not 0 <= recipe.sparse_steps <= recipe.steps:
        raise ValueError(f"sparse_steps is 0 to {recipe.steps}, the steps, got {recipe.sparse_steps}")
    if recipe.order != "mixed":
        return 0
    few = round(recipe.batch * recipe.sparse_steps / recipe.steps)
    if not 0 < few < recipe.batch:
        raise ValueError(
            f"a mixed batch has inputs of both kinds, got {few} sparse ones of {recipe.batch}; "
            "change batch or sparse_steps"
        )
    return few


def _drawing(recipe: SparseFirst, few: int, uniform: Split, sparse: Split) -> Callable[[int], Split]:
    """Return what gives the batch of a step; ``few`` of a mixed one are sparse."""
    draw_uniform = batch_source(uniform, recipe.batch - few, seed=recipe.seed)
    draw_sparse = batch_source(sparse, few or recipe.batch, seed=recipe.seed + 1)
    begin = {"sparse first": 0, "sparse last": recipe.steps - recipe.sparse_steps}.get(recipe.order)

    def draw(step: int) -> Split:
        if few:
            return joined(draw_uniform(), draw_sparse())
        if begin is not None and begin <= step < begin + recipe.sparse_steps:
            return draw_sparse()
        return draw_uniform()

    return draw


FINDS = Expectation(says="finds the parity", kinds=frozenset({Kind.GENERALIZATION}), metric="test/accuracy")
GUESSES = Expectation(
    says="guesses to the end",
    without=frozenset({Kind.GENERALIZATION, Kind.PHASE_CHANGE}),
    metric="test/accuracy",
)

SPARSE_FIRST = Experiment(
    name="sparse-first",
    title="An MLP learns the parity of 5 of 40 bits, from sparse inputs first and from uniform ones after",
    event="generalization",
    source="Abbe, Cornacchia & Lotfi 2023, arXiv:2306.16921",
    recipe=SparseFirst,
    prepare=prepare,
    arms=(
        Arm(group="sparse first", expects=FINDS),
        Arm(group="mixed", settings={"order": "mixed"}, expects=FINDS),
        Arm(group="sparse last", settings={"order": "sparse last"}, expects=GUESSES, is_control=True),
        Arm(group="uniform only", settings={"order": "uniform only"}, expects=GUESSES, is_control=True),
    ),
    seconds=5,
)

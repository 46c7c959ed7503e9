"""Markov chains in context: the model learns frequencies first, then which state follows which.

Each sequence is a chain with transition probabilities of its own, so that only the context tells them. The
loss rests where predictions by the frequencies of the states (unigrams) are as good as can be, and drops once
the model looks up which states followed the present one (bigrams: statistical induction heads). That takes
two layers of attention; one stays at the frequencies. On shifted chains all states are equally frequent, so
that the first stage gains nothing there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.sequences.next_token import (
    attention_only,
    context_gain,
    divergences,
    next_token,
    predicting,
)
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

_HELD_OUT = 256
_EARLY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkovChains(Recipe):
    """Settings of a transformer that reads Markov chains."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "transformer", "normalization": "none", "mlp": 0},
        "computation": {"task": "Markov chains in context"},
    }

    steps: int = setting(600, axis="exposure", says="optimizer steps")
    batch: int = setting(32, axis="exposure", says="chains a step, drawn anew", allowed=Range(least=1))
    loss: str = setting(
        "cross_entropy",
        axis="protocol",
        says="cross_entropy, and nothing else here",
        allowed=("cross_entropy",),
    )
    lr: float = setting(3e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.01, axis="regularization", says="decoupled weight decay")
    states: int = setting(3, axis="data", says="states of a chain", allowed=Range(least=2))
    length: int = setting(64, axis="data", says="states that are read", allowed=Range(least=2))
    layers: int = setting(2, axis="scale", param="depth", says="layers of attention", allowed=Range(least=1))
    heads: int = setting(1, axis="architecture", says="heads a layer", allowed=Range(least=1))
    width: int = setting(32, axis="scale", says="size of the residual stream", allowed=Range(least=1))


def transition_matrices(count: int, states: int, *, generator: torch.Generator) -> Tensor:
    """Return [N, K, K] random transition probabilities: each row is uniform among all that sum to 1.

    >>> rows = transition_matrices(2, 3, generator=torch.Generator().manual_seed(0)).sum(dim=-1)
    >>> rows.shape, bool(torch.allclose(rows, torch.ones(2, 3)))
    (torch.Size([2, 3]), True)
    """
    drawn = torch.empty(count, states, states).exponential_(generator=generator)
    return drawn / drawn.sum(dim=-1, keepdim=True)


def of_equal_frequencies(matrices: Tensor) -> Tensor:
    """Return matrices [N, K, K] whose rows are the first row of each, shifted: no state is more frequent.

    >>> of_equal_frequencies(torch.tensor([[[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]))
    tensor([[[0.5000, 0.2500, 0.2500],
             [0.2500, 0.5000, 0.2500],
             [0.2500, 0.2500, 0.5000]]])
    """
    places = torch.arange(matrices.shape[-1])
    return matrices[:, 0][:, (places - places.unsqueeze(1)) % len(places)]


def chains(matrices: Tensor, *, length: int, generator: torch.Generator) -> Tensor:
    """Return chains [N, length + 1] by transition probabilities [N, K, K]; they begin in any state.

    >>> turning = torch.eye(3).roll(1, dims=1).unsqueeze(0)
    >>> chain = chains(turning, length=3, generator=torch.Generator().manual_seed(0))[0]
    >>> ((chain - chain[0]) % 3).tolist()
    [0, 1, 2, 0]
    """
    count, states, _ = matrices.shape
    bounds = matrices.cumsum(dim=-1)[..., :-1]
    draws = torch.rand(length, count, 1, generator=generator)
    found = [torch.randint(states, (count,), generator=generator)]
    rows = torch.arange(count)
    for draw in draws:
        found.append((draw >= bounds[rows, found[-1]]).sum(dim=-1))
    return torch.stack(found, dim=1)


def unigrams(read: Tensor, states: int) -> Tensor:
    """Return predictions [N, T, K] by how often each state came so far, from one of each.

    >>> unigrams(torch.tensor([[0, 0]]), 2)
    tensor([[[0.6667, 0.3333],
             [0.7500, 0.2500]]])
    """
    counts = 1.0 + one_hot(read, states).cumsum(dim=1)
    return counts / counts.sum(dim=-1, keepdim=True)


def bigrams(read: Tensor, states: int) -> Tensor:
    """Return predictions [N, T, K] by what followed the present state so far, from one of each.

    With uniform rows of transition probabilities no prediction is better.

    >>> bigrams(torch.tensor([[0, 1, 0]]), 2)
    tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000],
             [0.3333, 0.6667]]])
    """
    marks = one_hot(read, states).float()
    pairs = torch.zeros(*read.shape, states, states)
    pairs[:, 1:] = torch.einsum("nti,ntj->ntij", marks[:, :-1], marks[:, 1:]).cumsum(dim=1)
    counts = 1.0 + torch.einsum("ntij,nti->ntj", pairs, marks)
    return counts / counts.sum(dim=-1, keepdim=True)


def prepare(recipe: MarkovChains) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)

    def matrices(count: int) -> Tensor:
        return transition_matrices(count, recipe.states, generator=generator)

    def drawn(of: Tensor) -> Tensor:
        return chains(of, length=recipe.length, generator=generator)

    held_out = next_token(drawn(matrices(_HELD_OUT)))
    read, _ = held_out
    shifted = next_token(drawn(of_equal_frequencies(matrices(_HELD_OUT))))
    return predicting(
        _model(recipe),
        lambda: next_token(drawn(matrices(recipe.batch))),
        {"test": held_out, "shift:equal_frequencies": shifted},
        batch=recipe.batch,
        measures=(
            divergences(
                read,
                {"unigrams": unigrams(read, recipe.states), "bigrams": bigrams(read, recipe.states)},
            ),
            context_gain(held_out, early=min(_EARLY, recipe.length - 1), late=recipe.length),
        ),
    )


def _model(recipe: MarkovChains) -> Transformer:
    return attention_only(
        tokens=recipe.states,
        length=recipe.length,
        width=recipe.width,
        heads=recipe.heads,
        layers=recipe.layers,
    )


# Of the shifted chains the frequencies tell nothing: what is gained there is owed to bigrams alone.
COMES_IN_STAGES = Expectation(
    says="a phase change: chains of equal frequencies begin to be predicted",
    kinds=frozenset({Kind.PHASE_CHANGE}),
    metric="shift:equal_frequencies/information",
)
STAYS_AT_FREQUENCIES = Expectation(
    says="chains of equal frequencies are never predicted",
    without=frozenset({Kind.PHASE_CHANGE}),
    metric="shift:equal_frequencies/information",
)

MARKOV_CHAINS = Experiment(
    name="markov-chains",
    title="A transformer learns to predict Markov chains whose probabilities only the context shows",
    event="phase change, from unigrams to bigrams",
    source="Edelman et al. 2024, arXiv:2402.11004",
    recipe=MarkovChains,
    prepare=prepare,
    arms=(
        Arm(group="two layers", expects=COMES_IN_STAGES),
        Arm(group="one layer", settings={"layers": 1}, expects=STAYS_AT_FREQUENCIES, is_control=True),
    ),
    seconds=11,
)

"""Synthetic people, and the sentences that tell about them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from grokscope.experiments.knowledge.answers import NO_ANSWER
from grokscope.experiments.training.batches import Split

NAME_PARTS = 3
"""Tokens of a name: first, middle and last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """People with a name and a value for each attribute, and phrasings of each attribute.

    Attributes:
        names: Tokens [people, 3]: first, middle and last name, which are unique together.
        values: Value of each attribute [people, attributes], from 0.
        is_heard: Which phrasings of each fact are trained on, [people, attributes, phrasings].
        choices: Values that an attribute has.
        pool: Tokens that each part of a name is drawn from.
    """

    names: Tensor
    values: Tensor
    is_heard: Tensor
    choices: int
    pool: int

    @property
    def tokens(self) -> int:
        """Return the size of the vocabulary: names, values, then two words for each phrasing."""
        _, attributes, phrasings = self.is_heard.shape
        return NAME_PARTS * self.pool + attributes * (self.choices + 2 * phrasings)


def draw_people(count: int, *, attributes: int, choices: int, phrasings: int, seed: int) -> People:
    """Return people drawn at random.

    Args:
        count: People.
        attributes: Facts about each.
        choices: Values that an attribute has, each as likely.
        phrasings: Ways to say a fact; half of them, drawn for each fact, are trained on.
        seed: Of all of it.

    Raises:
        ValueError: If there are fewer than two phrasings.

    >>> made = draw_people(5, attributes=2, choices=4, phrasings=6, seed=0)
    >>> made.names.shape, made.values.shape, int(made.is_heard.sum())
    (torch.Size([5, 3]), torch.Size([5, 2]), 30)
    """
    if phrasings < 2:  # noqa: PLR2004 - one to train on, one to test
        raise ValueError(f"phrasings is 2 at least, one to train on and one to test, got {phrasings}")
    generator = torch.Generator().manual_seed(seed)
    # Twice as many names as people: no part of a name tells alone who it is.
    pool = 1
    while pool**NAME_PARTS < 2 * count:
        pool += 1
    drawn = torch.randperm(pool**NAME_PARTS, generator=generator)[:count]
    parts = [part * pool + drawn // pool**part % pool for part in range(NAME_PARTS)]
    order = torch.rand(count, attributes, phrasings, generator=generator).argsort(-1)
    return People(
        names=torch.stack(parts, 1),
        values=torch.randint(choices, (count, attributes), generator=generator),
        is_heard=order < phrasings // 2,
        choices=choices,
        pool=pool,
    )


def biographies(people: People, who: Tensor, *, is_test: bool, generator: torch.Generator) -> Split:
    """Return one biography for each index in ``who``: tokens and answers, [N, 3 + 3 attributes].

    A biography is the name, then a sentence for each attribute, in random order: two words of one of its
    phrasings and the value, which is the answer after the second word.

    Args:
        people: All people.
        who: Indices [N] of the people told about.
        is_test: Whether each fact is phrased as it is never in training.
        generator: Draws the order and the phrasings.
    """
    count, (_, attributes, phrasings) = len(who), people.is_heard.shape
    order = torch.rand(count, attributes, generator=generator).argsort(-1)
    allowed = people.is_heard[who.unsqueeze(1), order] ^ is_test
    phrasing = (torch.rand(allowed.shape, generator=generator) + allowed).argmax(-1)
    first_value = NAME_PARTS * people.pool
    first_word = first_value + attributes * people.choices
    word = first_word + 2 * (order * phrasings + phrasing)
    value = first_value + order * people.choices + people.values[who.unsqueeze(1), order]
    sentences = torch.stack([word, word + 1, value], -1).flatten(1)
    tokens = torch.cat([people.names[who], sentences], 1)
    targets = torch.full_like(tokens, NO_ANSWER)
    targets[:, NAME_PARTS + 1 :: 3] = value
    return tokens, targets

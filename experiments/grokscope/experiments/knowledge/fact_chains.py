"""A random table of facts, and the chains of two facts that it implies, split as Wang et al. 2024 do."""

from dataclasses import dataclass

import torch
from torch import Tensor

from grokscope.experiments.knowledge.answers import NO_ANSWER
from grokscope.experiments.training.batches import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChains:
    """Sequences of a head entity and two relations, [N, 3], with the answers after each token, [N, 3].

    Attributes:
        facts: Every fact of the table: one entity is asked for, after the first relation.
        train: Chains of two facts that are trained on: an entity is asked for after the second relation.
        test: Chains of the same facts, never trained on.
        shifted: Chains of two facts that no chain in ``train`` holds: they are trained on as facts alone.
    """

    facts: Split
    train: Split
    test: Split
    shifted: Split


def fact_chains(
    entities: int, relations: int, *, ratio: float, shifted_share: float, at_most: int, seed: int
) -> FactChains:
    """Return facts ``(head, relation) -> tail`` drawn at random, and their chains.

    Entities are the tokens from 0, relations those after them.

    Args:
        entities, relations: Every entity has one tail for each relation.
        ratio: Chains that are trained on, per fact that they are made of; Wang et al.'s φ.
        shifted_share: Share of the facts that are kept out of these chains.
        at_most: Chains in ``test``.
        seed: Of the table and the splits.

    Raises:
        ValueError: If ``ratio`` asks for more chains than there are beside one for the test.

    Source: Wang et al. 2024, arXiv:2405.15071, section 3.

    >>> made = fact_chains(10, 4, ratio=1.0, shifted_share=0.25, at_most=20, seed=0)
    >>> [len(split[1]) for split in (made.facts, made.train, made.test)]
    [40, 30, 20]
    """
    generator = torch.Generator().manual_seed(seed)
    tails = torch.randint(entities, (entities, relations), generator=generator)
    is_shifted = torch.zeros(entities * relations, dtype=torch.bool)
    is_shifted[torch.randperm(len(is_shifted), generator=generator)[: int(shifted_share * len(is_shifted))]] = True
    is_shifted = is_shifted.view(entities, relations)
    chains = torch.cartesian_prod(*(torch.arange(size) for size in (entities, relations, relations)))
    head, first, second = chains.unbind(1)
    middle = tails[head, first]
    usual = ~is_shifted[head, first] & ~is_shifted[middle, second]
    shifted = is_shifted[head, first] & is_shifted[middle, second]
    known = chains[usual]
    known = known[torch.randperm(len(known), generator=generator)]
    count = round(ratio * int((~is_shifted).sum()))
    if not 0 < count < len(known):
        raise ValueError(f"ratio must leave chains to train on and to test, got {ratio}")
    return FactChains(
        facts=_asked(_pairs(entities, relations), tails, entities),
        train=_asked(known[:count], tails, entities),
        test=_asked(known[count : count + at_most], tails, entities),
        shifted=_asked(chains[shifted], tails, entities),
    )


def _pairs(entities: int, relations: int) -> Tensor:
    return torch.cartesian_prod(torch.arange(entities), torch.arange(relations))


def _asked(chains: Tensor, tails: Tensor, entities: int) -> Split:
    """Return facts [N, 2] or chains [N, 3] as tokens and answers; facts are filled up to the chains' length."""
    head, first = chains[:, 0], chains[:, 1]
    middle = tails[head, first]
    none = torch.full_like(head, NO_ANSWER)
    if chains.shape[1] == 2:  # noqa: PLR2004 - a fact
        return torch.stack([head, first + entities, first + entities], 1), torch.stack([none, middle, none], 1)
    second = chains[:, 2]
    tokens = torch.stack([head, first + entities, second + entities], 1)
    return tokens, torch.stack([none, none, tails[middle, second]], 1)

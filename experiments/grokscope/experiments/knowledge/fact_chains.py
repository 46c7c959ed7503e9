"""A random table of facts, and the chains of two facts that it implies, split as Wang et al. 2024 do."""

from dataclasses import dataclass

import torch
from torch import Tensor

from grokscope.experiments.knowledge.answers import NO_ANSWER
from grokscope.experiments.training.batches import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChains:
    """Sequences of an entity and two relations, tokens [N, 3], with the answers after each token, [N, 3].

    Attributes:
        facts: Every fact of the table: an entity is asked for after the first relation.
        train: Chains of two facts that are trained on: an entity is asked for after the second relation.
        test: Chains of the same facts, never trained on.
        shifted: Chains of two facts neither of which is in a chain of ``train`` or ``test``.
    """

    facts: Split
    train: Split
    test: Split
    shifted: Split


def fact_chains(
    entities: int, relations: int, *, ratio: float, shifted_share: float, seed: int
) -> FactChains:
    """Return facts ``(entity, relation) -> entity`` drawn at random, and their chains.

    Entities are the tokens from 0, relations those after them.

    Args:
        entities: Each has one fact for each relation.
        relations: Of an entity.
        ratio: Chains that are trained on, per fact that may be in one; the source's φ.
        shifted_share: Share of the facts that are in none of these chains, and in none of the test.
        seed: Of the table and the splits.

    Raises:
        ValueError: If ``ratio`` leaves no chain to train on or none to test.

    Source: Wang et al. 2024, arXiv:2405.15071, section 3.

    >>> made = fact_chains(10, 4, ratio=1.0, shifted_share=0.25, seed=0)
    >>> len(made.facts[1]), len(made.train[1])
    (40, 30)
    """
    generator = torch.Generator().manual_seed(seed)
    tails = torch.randint(entities, (entities, relations), generator=generator)
    total = entities * relations
    is_shifted = torch.randperm(total, generator=generator) < int(shifted_share * total)
    is_shifted = is_shifted.view(entities, relations)
    chains = torch.cartesian_prod(torch.arange(entities), torch.arange(relations), torch.arange(relations))
    first = is_shifted[chains[:, 0], chains[:, 1]]
    second = is_shifted[tails[chains[:, 0], chains[:, 1]], chains[:, 2]]
    usual = chains[~first & ~second]
    usual = usual[torch.randperm(len(usual), generator=generator)]
    count = round(ratio * int((~is_shifted).sum()))
    if not 0 < count < len(usual):
        raise ValueError(f"ratio must leave chains to train on and to test, got {ratio}")
    return FactChains(
        facts=_facts(tails),
        train=_answered(usual[:count], tails),
        test=_answered(usual[count:], tails),
        shifted=_answered(chains[first & second], tails),
    )


def _facts(tails: Tensor) -> Split:
    """Return all facts; what stands where a second relation would is not read before the answer."""
    entities, relations = tails.shape
    head, relation = torch.cartesian_prod(torch.arange(entities), torch.arange(relations)).unbind(1)
    none = torch.full_like(head, NO_ANSWER)
    tokens = torch.stack([head, relation + entities, relation + entities], 1)
    return tokens, torch.stack([none, tails[head, relation], none], 1)


def _answered(chains: Tensor, tails: Tensor) -> Split:
    head, first, second = chains.unbind(1)
    none = torch.full_like(head, NO_ANSWER)
    tokens = torch.stack([head, first + len(tails), second + len(tails)], 1)
    return tokens, torch.stack([none, none, tails[tails[head, first], second]], 1)

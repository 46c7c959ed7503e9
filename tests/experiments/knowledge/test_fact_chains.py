"""Facts and the chains of two facts that they imply."""

import pytest
import torch

from grokscope.experiments.knowledge.answers import NO_ANSWER
from grokscope.experiments.knowledge.fact_chains import FactChains, fact_chains

ENTITIES, RELATIONS = 12, 5


def made(**changes) -> FactChains:
    settings = {"ratio": 2.0, "shifted_share": 0.2, "seed": 0} | changes
    return fact_chains(ENTITIES, RELATIONS, **settings)


def table(chains: FactChains) -> dict[tuple[int, int], int]:
    tokens, answers = chains.facts
    return {(int(row[0]), int(row[1])): int(answer[1]) for row, answer in zip(tokens, answers, strict=True)}


def hops(chains: FactChains, split: torch.Tensor) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    facts = table(chains)
    return [((h, a), (facts[h, a], b)) for h, a, b in split.tolist()]


def test_each_entity_has_one_fact_for_each_relation():
    facts = table(made())
    assert sorted(facts) == [(e, ENTITIES + r) for e in range(ENTITIES) for r in range(RELATIONS)]
    assert set(facts.values()) <= set(range(ENTITIES))


def test_a_fact_is_asked_for_after_its_relation_and_nowhere_else():
    _, answers = made().facts
    assert (answers[:, [0, 2]] == NO_ANSWER).all()
    assert (answers[:, 1] != NO_ANSWER).all()


@pytest.mark.parametrize("split", ["train", "test", "shifted"])
def test_a_chain_asks_for_the_tail_of_its_second_fact_alone(split):
    chains = made()
    facts, (tokens, answers) = table(chains), getattr(chains, split)
    assert (answers[:, :2] == NO_ANSWER).all()
    assert answers[:, 2].tolist() == [facts[second] for _, second in hops(chains, tokens)]


def test_no_chain_is_in_two_splits():
    chains = made()
    rows = [tuple(row) for split in (chains.train, chains.test, chains.shifted) for row in split[0].tolist()]
    assert len(rows) == len(set(rows))


def test_no_fact_of_a_shifted_chain_is_in_another_chain():
    chains = made()
    usual = {
        fact for split in (chains.train, chains.test) for pair in hops(chains, split[0]) for fact in pair
    }
    shifted = {fact for pair in hops(chains, chains.shifted[0]) for fact in pair}
    assert shifted
    assert not usual & shifted


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_the_ratio_counts_trained_chains_per_fact_that_may_be_in_one(ratio):
    assert len(made(ratio=ratio).train[1]) == round(ratio * 0.8 * ENTITIES * RELATIONS)


@pytest.mark.parametrize("ratio", [0.0, 5.0])
def test_a_ratio_that_leaves_no_chain_to_train_on_or_to_test_is_refused(ratio):
    with pytest.raises(ValueError, match=f"ratio must leave chains to train on and to test, got {ratio}"):
        made(ratio=ratio)


def test_the_table_and_its_splits_depend_on_the_seed_alone():
    first, again, other = made(), made(), made(seed=1)
    for name in ("facts", "train", "test", "shifted"):
        assert torch.equal(getattr(first, name)[0], getattr(again, name)[0])
    assert table(first) == table(again)
    assert table(first) != table(other)

"""Synthetic people and their biographies."""

import pytest
import torch

from grokscope.experiments.knowledge.answers import NO_ANSWER
from grokscope.experiments.knowledge.people import NAME_PARTS, People, biographies, draw_people

ATTRIBUTES, CHOICES, PHRASINGS = 3, 4, 5


def drawn(count: int = 30, seed: int = 0, phrasings: int = PHRASINGS) -> People:
    return draw_people(count, attributes=ATTRIBUTES, choices=CHOICES, phrasings=phrasings, seed=seed)


def told(people: People, *, is_test: bool = False, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return biographies(people, torch.arange(len(people.names)), is_test=is_test, generator=generator)


def sentences(people: People, tokens: torch.Tensor) -> list[set[tuple[int, int, int]]]:
    """Return each biography's sentences as (attribute, phrasing, value), read off the tokens."""
    first_value = NAME_PARTS * people.pool
    first_word = first_value + ATTRIBUTES * CHOICES
    found: list[set[tuple[int, int, int]]] = []
    for row in tokens[:, NAME_PARTS:].tolist():
        read: set[tuple[int, int, int]] = set()
        for word, after, value in zip(row[::3], row[1::3], row[2::3], strict=True):
            attribute, phrasing = divmod((word - first_word) // 2, PHRASINGS)
            assert after == word + 1
            read.add((attribute, phrasing, value - first_value - attribute * CHOICES))
        found.append(read)
    return found


def test_no_two_people_have_the_same_name():
    names = [tuple(name) for name in drawn(200).names.tolist()]
    assert len(set(names)) == 200


def test_a_part_of_a_name_never_stands_for_another_part():
    people = drawn(200)
    for part in range(NAME_PARTS):
        assert set((people.names[:, part] // people.pool).tolist()) == {part}


def test_of_each_fact_half_of_the_phrasings_are_heard():
    assert (drawn().is_heard.sum(-1) == PHRASINGS // 2).all()


@pytest.mark.parametrize("is_test", [False, True])
def test_a_biography_tells_each_fact_of_its_person_once(is_test):
    people = drawn()
    tokens, _ = told(people, is_test=is_test)
    assert tokens[:, :NAME_PARTS].tolist() == people.names.tolist()
    for values, read in zip(people.values.tolist(), sentences(people, tokens), strict=True):
        assert sorted((attribute, value) for attribute, _, value in read) == list(enumerate(values))


@pytest.mark.parametrize("is_test", [False, True])
def test_facts_are_tested_in_phrasings_that_are_never_trained_on(is_test):
    people = drawn()
    seen = {
        (who, attribute, phrasing)
        for seed in range(60)
        for who, read in enumerate(sentences(people, told(people, is_test=is_test, seed=seed)[0]))
        for attribute, phrasing, _ in read
    }
    allowed = {tuple(place) for place in (people.is_heard ^ is_test).nonzero().tolist()}
    assert seen == allowed


def test_the_answer_after_a_phrasing_is_the_value_and_nothing_else_is_asked_for():
    tokens, targets = told(drawn())
    asked = slice(NAME_PARTS + 1, None, 3)
    assert torch.equal(targets[:, asked], tokens[:, NAME_PARTS + 2 :: 3])
    targets[:, asked] = NO_ANSWER
    assert (targets == NO_ANSWER).all()


def test_every_token_is_in_the_vocabulary():
    people = drawn(200)
    assert told(people)[0].max() < people.tokens


def test_a_phrasing_is_left_to_train_on_and_one_to_test():
    with pytest.raises(ValueError, match="phrasings is 2 at least, one to train on and one to test, got 1"):
        drawn(phrasings=1)


def test_people_depend_on_the_seed_alone():
    first, again, other = drawn(), drawn(), drawn(seed=1)
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.names, again.names)
    assert torch.equal(first.is_heard, again.is_heard)
    assert not torch.equal(first.values, other.values)

"""The character language model: windows of a text, counts of its characters, and its shifted set."""

import pytest
import torch

from grokscope.experiments.sequences.character_lm import CharacterLM, character_counts, prepare, windows
from grokscope.experiments.sequences.texts import python_help, python_source

TINY = {"width": 8, "heads": 2, "hidden": 8, "batch": 2, "context": 16}


def test_each_character_of_a_window_is_to_tell_the_next_one_of_the_text():
    inputs, targets = windows(torch.arange(13), 4)
    assert inputs.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert torch.equal(targets, inputs + 1)


def test_counts_are_those_of_the_text():
    frequencies, following = character_counts(torch.tensor([5, 6, 5, 6, 6]))
    assert [round(frequencies[c].item(), 2) for c in (5, 6, 7)] == [2.01, 3.01, 0.01]
    pairs = [(5, 6), (6, 5), (6, 6), (5, 5)]
    assert [round(following[pair].item(), 2) for pair in pairs] == [2.01, 1.01, 1.01, 0.01]


def test_no_window_of_the_held_out_text_is_trained_on():
    splits = prepare(CharacterLM(**TINY)).splits
    text = python_help()
    beginning, rest = bytes(text[:200_000].tolist()), bytes(text[200_000:].tolist())
    for row in splits["train"][0].tolist():
        assert bytes(row) in beginning
    for row in splits["test"][0].tolist():
        assert bytes(row) in rest
    source = bytes(python_source("statistics").tolist())
    for row in splits["shift:source_code"][0].tolist():
        assert bytes(row) in source


@pytest.mark.parametrize("characters", [32, 200_001])
def test_a_text_too_short_or_longer_than_there_is_is_refused(characters):
    with pytest.raises(ValueError, match=f"above 32, two windows, and up to 200000, got {characters}"):
        prepare(CharacterLM(**{**TINY, "characters": characters}))


def test_a_seed_draws_the_same_batches_again():
    first, again, other = (prepare(CharacterLM(seed=s, **TINY)).loss_of(0).item() for s in (0, 0, 1))
    assert first == again != other

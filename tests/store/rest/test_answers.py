"""Values of an answer at the edges of what may be there."""

import pytest

from grokscope.store.rest.answers import OddAnswerError, Part, rows_in


@pytest.mark.parametrize("number", [-(2**63), 0, 2**63 - 1])
def test_whole_numbers_of_64_bits_are_read_as_numbers_and_as_text(number):
    assert Part({"n": number}).whole("n") == number
    assert Part({"n": str(number)}).whole("n") == number


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**63, True, 1.0])
def test_what_is_no_whole_number_of_64_bits_is_odd(number):
    with pytest.raises(OddAnswerError, match=r"n is .*, and a whole number of 64 bits belongs there"):
        Part({"n": number}).whole("n")


@pytest.mark.parametrize("found", [True, False, None, "x", 10**400])
def test_what_is_no_number_is_odd(found):
    with pytest.raises(OddAnswerError, match="and a number belongs there"):
        Part({"n": found}).number("n")


@pytest.mark.parametrize(("length", "shown"), [(59, "'x+'"), (60, "a value of type str")])
def test_a_long_text_in_a_wrong_place_is_not_shown(length, shown):
    with pytest.raises(OddAnswerError, match=f"n is {shown}, and a number"):
        Part({"n": "x" * length}).number("n")


@pytest.mark.parametrize(
    ("part", "default", "text"), [({"t": "x"}, None, "x"), ({}, "y", "y"), ({"t": "x"}, "y", "x")]
)
def test_a_text_that_is_missing_has_the_default(part, default, text):
    assert Part(part).text("t", default) == text


def test_a_number_that_is_missing_has_the_default_or_is_odd():
    assert Part({}).whole("n", 7) == 7
    assert Part({"n": 3}).whole("n", 7) == 3
    with pytest.raises(OddAnswerError, match="n is None, and a whole number belongs there"):
        Part({}).whole("n")


def test_a_point_without_a_step_is_of_step_0():
    answer = Part({"metrics": [{"key": "k", "timestamp": 5, "value": 0.5}]})
    assert rows_in(answer, "k", ["r"]) == [("r", "k", 0, 5, 0.5, 0)]

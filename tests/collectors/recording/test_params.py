"""What is said of a configuration that cannot be read whole."""

import pytest

from grokscope.collectors.recording.params import params_of


class Unreadable:
    """A value that has no text."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "of the config, p0 (RuntimeError) cannot be read and is not logged"),
        (5, "p3 (RuntimeError), p4 (RuntimeError) cannot be read and are not logged"),
        (7, "p3 (RuntimeError), p4 (RuntimeError) and 2 more cannot be read and are not logged"),
    ],
)
def test_of_settings_that_cannot_be_read_five_are_named_and_the_others_counted(count, said):
    sentences = []
    params = params_of({"lr": 0.1} | {f"p{n}": Unreadable() for n in range(count)}, warn=sentences.append)
    assert params["lr"] == "0.1"
    (sentence,) = sentences
    assert sentence.endswith(said)

"""What a training loop is told on stderr: each thing once, and never without end."""

import pytest

from grokscope.collectors.warning import Warnings


@pytest.mark.parametrize("count", [20, 21, 50])
def test_no_more_than_twenty_things_are_told(capsys, count):
    warnings = Warnings()
    for number in range(count):
        warnings.warn_once(f"thing {number} went wrong", dropped=1)
    told = capsys.readouterr().err.splitlines()
    assert told == [f"grokscope: thing {number} went wrong. Training goes on." for number in range(20)]
    assert warnings.dropped == count


def test_the_same_thing_at_another_step_is_told_once(capsys):
    warnings = Warnings()
    for step in range(3):
        warnings.warn_once(f"step {step} was not logged")
    assert capsys.readouterr().err.count("was not logged") == 1

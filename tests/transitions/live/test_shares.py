"""When the units of a run's scores are asked for again."""

from grokscope.transitions.live.history import History
from grokscope.transitions.live.shares import Shares


def test_units_are_asked_for_at_the_first_second_fourth_and_eighth_value_beyond_the_top(monkeypatch):
    asked: list[int] = []
    shares, history = Shares(), History()
    for number in range(1, 10):
        monkeypatch.setattr(shares, "ask", lambda _, number=number: asked.append(number))
        shares.read({"test/accuracy": 5.0}, history)
        shares.read({"test/accuracy": 1.0}, history)
    assert asked == [1, 2, 4, 8]

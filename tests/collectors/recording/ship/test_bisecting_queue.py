"""Records on their way into a store that refuses some of them for good, and at times all of them."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.recording.ship.delivery.bisecting_queue import BisectingQueue
from grokscope.collectors.recording.ship.run_store import Refused, Unavailable


class Weather:
    """Takes whole parts without poison, and nothing at all during a storm."""

    def __init__(self, poison: set[int], spells: list[int]) -> None:
        self.poison = poison
        self.is_storm = [bool(n % 2) for n, length in enumerate(spells) for _ in range(length)][::-1]
        self.taken: set[int] = set()
        self.given_up: set[int] = set()

    def send(self, numbers) -> None:
        if (self.is_storm and self.is_storm.pop()) or self.poison & set(numbers):
            raise Refused("no")
        self.taken |= set(numbers)


@given(st.sets(st.integers(0, 59)), st.lists(st.integers(3, 30), max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_the_weather_only_poison_is_given_up_and_all_else_arrives(poison, spells):
    weather = Weather(poison, spells)
    queue = BisectingQueue[int](
        weather.send, give_up=lambda number, why: weather.given_up.add(number), probe=lambda: weather.send(())
    )
    for begin in (0, 30):
        queue.add(range(begin, begin + 30), size=20)
        for _ in range(300):
            with suppress(Refused, Unavailable):
                queue.advance()
    good = {*range(60)} - poison
    assert weather.taken == good
    assert weather.given_up == (poison if good else set())


def test_a_part_that_is_refused_is_halved_with_the_longer_half_first():
    sent: list[tuple[int, ...]] = []

    def send(numbers) -> None:
        sent.append(numbers)
        if len(numbers) > 2:
            raise Refused("too many")

    queue = BisectingQueue[int](send, give_up=lambda *_: None, probe=lambda: None)
    queue.add(range(3), size=3)
    assert [queue.advance(), queue.advance(), queue.advance()] == [2, 1, 0]
    assert sent == [(0, 1, 2), (0, 1), (2,)]


def test_a_first_record_that_is_refused_costs_the_next_one_no_call():
    weather = Weather({0}, [])
    queue = BisectingQueue[int](
        weather.send, give_up=lambda number, why: weather.given_up.add(number), probe=lambda: None
    )
    queue.add(range(3), size=1)
    assert queue.advance() == 1
    assert (weather.taken, weather.given_up) == ({1}, set())
    while queue.advance():
        pass
    assert (weather.taken, weather.given_up) == ({1, 2}, {0})

"""How much goes into one call, and what is still to be sent after it."""

from contextlib import suppress

import pytest

from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.run_store import Refused, TooSlow, Unavailable

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


class Store:
    """Takes what it is sent, and notes how much that is at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.ends: list[str] = []

    def open_run(self, meta) -> str:
        return meta.run_id

    def describe(self, run, labels) -> None: ...

    def send(self, run, scalars) -> None:
        self.sizes.append(len(scalars))

    def heartbeat(self, run, time_ms) -> None: ...

    def end_run(self, run, ending) -> None:
        self.ends.append(ending.status)


@pytest.fixture
def delivery_of(new_spool, tmp_path):
    """Give a function that begins to deliver a spool of so many points."""

    def begin(store, count: int, *, last=None, is_alive: bool = True) -> Delivery:
        folder, meta, writer = new_spool(is_alive=is_alive)
        for step in range(count):
            writer.points(step, 1000, {"m": float(step)})
        writer.close(last)
        return Delivery(folder, meta, run_store=store, dead_letters=tmp_path / "dead" / "r.jsonl")

    return begin


def test_a_store_that_is_too_slow_is_sent_half_as_much_but_never_less_than_fifty(delivery_of):
    class Slow(Store):
        def send(self, run, scalars) -> None:
            super().send(run, scalars)
            raise TooSlow("timed out")

    store = Slow()
    delivery = delivery_of(store, 1500)
    for _ in range(7):
        with pytest.raises(TooSlow):
            delivery.advance()
    assert store.sizes == [1000, 500, 250, 125, 62, 50, 50]


@pytest.mark.parametrize(("count", "is_behind"), [(999, False), (1000, True), (1001, True)])
def test_more_waits_if_a_batch_was_full(delivery_of, count, is_behind):
    delivery = delivery_of(Store(), count)
    assert delivery.advance() == min(count, 1000)
    assert delivery.is_behind == is_behind


def test_more_waits_if_a_part_of_a_batch_was_sent(delivery_of):
    class Picky(Store):
        def send(self, run, scalars) -> None:
            if any(scalar.step == 9 for scalar in scalars):
                raise Refused("no nines")
            super().send(run, scalars)

    delivery = delivery_of(Picky(), 10)
    assert (delivery.advance(), delivery.is_behind) == (5, True)
    while delivery.is_behind:
        delivery.advance()
    assert delivery._run.waiting == 0


def test_an_end_that_cannot_be_told_is_left_to_the_next_shipper(new_spool, tmp_path):
    class Closing(Store):
        def end_run(self, run, ending) -> None:
            raise Unavailable("away")

    folder, meta, writer = new_spool()
    writer.points(0, 1000, {"m": 1.0})
    writer.close(END)
    letters = tmp_path / "dead" / "r.jsonl"
    with suppress(Unavailable):
        Delivery(folder, meta, run_store=Closing(), dead_letters=letters).advance()
    store = Store()
    Delivery(folder, meta, run_store=store, dead_letters=letters).advance()
    assert store.ends == ["FINISHED"]

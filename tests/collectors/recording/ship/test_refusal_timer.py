"""When a store is believed that it does not want a run."""

from contextlib import suppress

from grokscope.collectors.recording.ship.delivery.run_upload import RefusalTimer, RefusedForNow
from grokscope.collectors.recording.ship.run_store import Refused


def test_a_refusal_is_believed_after_five_minutes_and_four_tries_and_after_anything_else_begins_anew():
    clock = [0.0]
    timer = RefusalTimer(lambda: clock[0])

    def believed(now: float) -> bool:
        clock[0] = now
        with suppress(RefusedForNow):
            timer.check(Refused("no"))
            return True
        return False

    for begin in (0.0, 1000.0):
        assert [believed(begin + at) for at in (0, 300, 300, 300)] == [False, False, False, True]
        timer.forget()
    assert [believed(2000 + at) for at in (0, 1, 2, 299, 299.9, 300)] == [False] * 5 + [True]

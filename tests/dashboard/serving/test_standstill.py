import asyncio
import time

from grokscope.dashboard.serving.standstill import stacks_at_standstill


def stand_still(seconds):
    time.sleep(seconds)


async def serve(path, *, after_s, still_s):
    with path.open("w") as file:
        async with stacks_at_standstill(file.fileno(), after_s=after_s):
            await asyncio.sleep(0.2)
            stand_still(still_s)
            await asyncio.sleep(0.2)
        stand_still(1.5 * after_s)


def test_the_stacks_of_a_loop_that_stands_still_are_written(tmp_path):
    asyncio.run(serve(tmp_path / "stacks", after_s=1.0, still_s=3.0))
    assert "in stand_still" in (tmp_path / "stacks").read_text()


def test_a_loop_that_turns_writes_nothing_and_no_alarm_outlives_it(tmp_path):
    asyncio.run(serve(tmp_path / "stacks", after_s=6.0, still_s=0.0))
    assert (tmp_path / "stacks").read_text().startswith("Python 3")
    assert len((tmp_path / "stacks").read_text().splitlines()) == 1

"""What is read is kept until it is dropped."""

import polars as pl

from grokscope.schemas import POINT_SCHEMA
from grokscope.store.cache.location import open_mirror
from grokscope.store.cache.point_cache import PointCache

POINTS = pl.DataFrame(
    {"run_id": ["r"], "metric": ["m"], "step": [1], "time_ms": [2], "value": [0.5]}, schema=POINT_SCHEMA
)


def test_runs_that_are_dropped_have_to_be_read_again_and_others_not():
    cache = PointCache()
    for run in ("r", "s"):
        cache.add(run, POINTS.with_columns(run_id=pl.lit(run)), keys=["m"])
    cache.drop(["r"])
    assert (cache.missing("r", ["m"]), cache.missing("s", ["m"])) == (["m"], [])


def test_a_single_row_that_came_after_a_saving_is_saved_too(tmp_path):
    def opened() -> PointCache:
        return PointCache(open_mirror("sqlite:////x.db", root=tmp_path / "mirror"))

    cache = opened()
    cache.add("r", POINTS, keys=None)
    cache.save(None, now=True)
    cache.extend(POINTS.with_columns(step=pl.lit(2, pl.Int64)))
    cache.close(None)
    again = opened()
    assert again.frame(["r"], None)["step"].to_list() == [1, 2]
    again.close(None)


def test_the_same_frame_is_given_as_long_as_nothing_has_changed():
    cache = PointCache()
    cache.add("r", POINTS, keys=None)
    first = cache.frame(["r"], ["m"])
    assert cache.bound(["r"]) == []
    cache.extend(POINTS.with_columns(run_id=pl.lit("of another experiment")))
    assert cache.frame(["r"], ["m"]) is first
    cache.extend(POINTS.with_columns(step=pl.lit(2, pl.Int64)))
    assert cache.frame(["r"], ["m"])["step"].to_list() == [1, 2]
    assert cache.frame(["r"], ["n"]).is_empty()
    cache.drop(["r"])
    assert cache.frame(["r"], ["m"]).is_empty()

"""A frame is made of what was made before: it is always the one that all curves make anew."""

import random

import numpy as np
import polars as pl

from grokscope.schemas import POINT_SCHEMA
from grokscope.store.cache import point_cache
from grokscope.store.cache.point_cache import PointCache


def rows(run, metric, steps):
    own = {"run_id": run, "metric": metric, "step": steps, "time_ms": steps, "value": [s / 7 for s in steps]}
    return pl.DataFrame(own, schema=POINT_SCHEMA)


def whole(known, runs, metrics):
    """The points of ``{(run, metric): steps}``, made from nothing."""
    wanted = [key for key in sorted(known) if key[0] in runs and (metrics is None or key[1] in metrics)]
    return pl.concat([POINT_SCHEMA.to_frame(), *(rows(*key, sorted(known[key])) for key in wanted)])


def test_a_frame_made_of_the_one_before_is_that_of_all_curves(monkeypatch):
    monkeypatch.setattr(point_cache, "_MOST_CHUNKS", 4)  # so that memory is joined and shared often
    chance, cache, known = random.Random(5), PointCache(), {}
    for _ in range(300):
        run, metric = f"run {chance.randrange(9)}", chance.choice("abc")
        match chance.randrange(6):
            case 0 if known:
                cache.drop([run])
                known = {key: steps for key, steps in known.items() if key[0] != run}
            case 1 | 2 | 3:
                step = chance.choice([len(known.get((run, metric), ())), chance.randrange(40)])
                cache.add(run, rows(run, metric, [step]), keys=None)
                known.setdefault((run, metric), set()).add(step)
            case _:
                runs = chance.sample([f"run {i}" for i in range(9)], chance.randrange(1, 10))
                metrics = chance.choice([None, ["a"], ["a", "c"]])
                assert cache.frame(runs, metrics).equals(whole(known, runs, metrics))


def test_a_frame_of_many_curves_lies_in_one_piece_and_is_the_only_copy():
    cache = PointCache()
    runs = [f"run {i:04}" for i in range(point_cache._MOST_CHUNKS + 1)]
    for run in runs:
        cache.add(run, rows(run, "a", [0, 1]), keys=None)
    first = cache.frame(runs, None)
    assert first.n_chunks() == 1
    cache.extend(rows(runs[7], "a", [2]))
    assert cache.frame(runs, None).n_chunks() == 3  # before the changed run, it, and after it
    own = cache._runs[runs[-1]].curves["a"].parts[0]
    assert np.shares_memory(first["value"].to_numpy(), own["value"].to_numpy())

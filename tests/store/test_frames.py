"""Rows of a store as frames."""

from grokscope.store.frames import experiments_with_runs, runs_from_rows


def test_runs_come_newest_first_and_those_that_tell_no_begin_last():
    begins = {"old": 1, "untold": None, "new": 3, "b": 2, "a": 2}
    rows = [(run, run, "e", "RUNNING", begin, None, None, None, None) for run, begin in begins.items()]
    assert runs_from_rows(rows)["run_id"].to_list() == ["new", "a", "b", "old", "untold"]


def test_experiments_of_one_activity_stand_by_name_and_those_without_runs_last():
    runs = runs_from_rows([(e, e, e, "FINISHED", 1, 2, 3, None, None) for e in ("b", "a")])
    listed = experiments_with_runs([("1", "none"), ("2", "b"), ("3", "a"), ("4", "also none")], runs)
    assert listed["name"].to_list() == ["a", "b", "also none", "none"]

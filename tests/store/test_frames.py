"""Rows of a store as frames."""

from grokscope.store.frames import runs_from_rows


def test_runs_come_newest_first_and_those_that_tell_no_begin_last():
    begins = {"old": 1, "untold": None, "new": 3, "b": 2, "a": 2}
    rows = [(run, run, "e", "RUNNING", begin, None, None, None, None) for run, begin in begins.items()]
    assert runs_from_rows(rows)["run_id"].to_list() == ["new", "a", "b", "old", "untold"]

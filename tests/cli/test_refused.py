"""Points that a store has refused for good: whoever sends points is told of them, and where they are."""

from grokscope.collectors.recording.ship.delivery.dead_letters import DeadLetters, letters_path
from grokscope.collectors.recording.spool import Meta, prepare_spool, publish_spool


def test_sync_tells_what_was_refused_why_and_where_it_is(grokscope, tmp_path):
    home = tmp_path / "home"
    for run in ("run-a", "run-b"):
        letters = DeadLetters(letters_path(home, run), run_id=run)
        for step in range(1200):
            letters.add(
                {"key": "a<b", "value": 1.0, "step": step}, "no such name" if step else "no\x1b[31m step"
            )
    status, _, err = grokscope("sync")
    assert status == 0
    first, second = [line for line in err.splitlines() if "refused" in line]
    assert "of run run-a the store refused 1200 records" in first
    assert r"(no such name; no\x1b[31m step)" in first
    assert str(home / "dead" / "run-b.jsonl") in second
    assert "then delete that file" in second


def test_sync_tells_it_though_other_points_cannot_be_sent(grokscope, tmp_path):
    home = tmp_path / "home"
    folder = publish_spool(
        prepare_spool(home, Meta(run_id="run-a", store="http://h", experiment="e", name="n"))
    )
    (folder / "meta.json").write_text("torn")
    DeadLetters(letters_path(home, "run-b"), run_id="run-b").add({"key": "a<b"}, "no such name")
    status, _, err = grokscope("sync")
    assert status != 0
    assert "of run run-b the store refused 1 records" in err

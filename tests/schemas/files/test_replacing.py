"""A file is replaced whole or not at all, and nothing is left beside it."""

import os
import stat

import pytest

from grokscope.schemas.files.replacing import PRIVATE, SHARED, Synced, replacing


@pytest.mark.parametrize("synced", Synced)
def test_the_new_file_takes_the_name_only_once_it_is_whole(tmp_path, synced):
    path = tmp_path / "a.json"
    path.write_text("old")
    with replacing(path, synced=synced) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with replacing(path) as unfinished:
            unfinished.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_its_place_is_kept_and_said_and_nothing_is_left(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"), replacing(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "mine")
    with replacing(tmp_path / "a") as unfinished:
        unfinished.write_text("new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize(("mode", "given"), [(PRIVATE, 0o600), (SHARED, 0o640)])
def test_it_is_private_unless_a_person_asked_for_it(tmp_path, mode, given):
    old = os.umask(0o027)
    try:
        with replacing(tmp_path / "a", mode=mode) as unfinished:
            assert stat.S_IMODE(unfinished.stat().st_mode) == given
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == given


@pytest.mark.parametrize(
    ("synced", "count"), [(Synced.NOTHING, 0), (Synced.CONTENT, 1), (Synced.NAME, 2)], ids=str
)
def test_what_has_to_be_on_the_disk_is_waited_for_before_and_after_the_name_is_given(
    tmp_path, monkeypatch, synced, count
):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda fd: seen.append((tmp_path / "a").exists()))
    with replacing(tmp_path / "a", synced=synced):
        pass
    assert seen == [False, True][:count]

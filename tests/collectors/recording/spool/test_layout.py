"""The folders and small files of a spool."""

import json
import os

import pytest

from grokscope.collectors.recording.spool import (
    Cursor,
    Meta,
    find_spools,
    prepare_spool,
    publish_spool,
    read_cursor,
    read_meta,
    remove_retired,
    remove_spool,
    write_cursor,
)


def meta(**changes) -> Meta:
    return Meta(**{"run_id": "r", "store": "sqlite:////x.db", "experiment": "e", "name": "n"} | changes)


def test_a_spool_is_found_again_with_what_it_is(tmp_path):
    described = meta(params={"lr": "0.1"}, start_ms=5, pid=7)
    folder = publish_spool(prepare_spool(tmp_path, described))
    assert find_spools(tmp_path) == [folder]
    assert read_meta(folder) == described
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "meta.json").stat().st_mode & 0o777 == 0o600


def test_a_spool_of_a_later_version_is_left_alone(tmp_path):
    folder = publish_spool(prepare_spool(tmp_path, meta()))
    later = json.loads((folder / "meta.json").read_text()) | {"version": 3, "more": 1}
    (folder / "meta.json").write_text(json.dumps(later))
    assert read_meta(folder) is None


def test_the_cursor_survives_and_begins_at_the_beginning(tmp_path):
    assert read_cursor(tmp_path) == Cursor(segment=0, offset=0)
    write_cursor(tmp_path, Cursor(segment=3, offset=99))
    assert read_cursor(tmp_path) == Cursor(segment=3, offset=99)


def test_a_shipped_spool_that_a_disk_refuses_to_delete_is_gone_for_all_and_removed_later(
    tmp_path, monkeypatch
):
    folder = publish_spool(prepare_spool(tmp_path, meta()))

    def refuse(*_, **__) -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        remove_spool(folder)
        assert find_spools(tmp_path) == []
        remove_retired(tmp_path)
    assert list((tmp_path / "spool").iterdir()) != []
    remove_retired(tmp_path)
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("refused", [0, 1])
def test_what_a_disk_refuses_to_delete_of_one_shipped_spool_leaves_no_other_behind(
    tmp_path, monkeypatch, refused
):
    folders = [publish_spool(prepare_spool(tmp_path, meta(run_id=name))) for name in ("a", "b")]
    retired = [folder.rename(folder.with_name(f".{folder.name}.shipped")) for folder in folders]
    rmdir = os.rmdir

    def refuse(path, **options) -> None:
        if retired[refused].name in str(path):
            raise OSError("no")
        rmdir(path, **options)

    monkeypatch.setattr(os, "rmdir", refuse)
    remove_retired(tmp_path)
    assert list((tmp_path / "spool").iterdir()) == [retired[refused]]

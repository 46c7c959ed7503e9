"""What somebody else may have written is neither read nor written with this user's rights."""

import os
import stat

import pytest

from grokscope.collectors.recording.spool import (
    Meta,
    find_spools,
    next_attempt,
    prepare_spool,
    publish_spool,
    read_json,
    read_meta,
    remove_retired,
    replace_json,
)
from grokscope.schemas.files.private import (
    NotPrivateError,
    check_folder,
    check_place,
    close_to_others,
    opened,
    private_folder,
)
from grokscope.store.cache.location import open_mirror

ROOTS = "/etc/passwd"


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def others(path):
    """Give a file that is not this user's: root's own has no better one than that of a stranger."""
    if os.geteuid() == 0:
        os.chown(path, 65534, -1)
        return path
    return path.__class__(ROOTS)


def test_a_home_and_all_in_it_is_made_for_its_owner_alone_whatever_the_umask(tmp_path):
    old = os.umask(0)
    try:
        meta = Meta(run_id="r", store="s", experiment="e", name="n")
        next_attempt(tmp_path / "home", "r")
        folder = publish_spool(prepare_spool(tmp_path / "home", meta))
    finally:
        os.umask(old)
    assert {mode(path) for path in (tmp_path / "home", *(tmp_path / "home").rglob("*")) if path.is_dir()} == {
        0o700
    }
    assert {mode(path) for path in (tmp_path / "home").rglob("*") if path.is_file()} == {0o600}
    check_folder(folder)


def test_a_home_that_a_mirror_has_made_first_is_for_its_owner_alone_too(tmp_path):
    old = os.umask(0)
    try:
        mirror = open_mirror("sqlite:////x.db", root=tmp_path / "home" / "mirror")
    finally:
        os.umask(old)
    assert mirror is not None
    mirror.close()
    assert mode(tmp_path / "home") == 0o700


def test_a_file_of_another_user_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    path = others(tmp_path / "a.json")
    with pytest.raises(NotPrivateError, match=r"belongs to .*, uid \d+, not to you .* as its owner, or"):
        os.close(opened(path, os.O_RDONLY))
    assert read_json(path) is None


@pytest.mark.parametrize("given", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused_with_the_way_to_close_it(tmp_path, given):
    path = tmp_path / "a.json"
    path.write_text("{}")
    path.chmod(given)
    with pytest.raises(NotPrivateError, match=rf"by others \(mode {given:04o}\).*'chmod go-w {path}'"):
        opened(path, os.O_RDONLY)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_RDWR | os.O_CREAT])
def test_no_link_is_followed_and_what_it_leads_to_stays_as_it_was(tmp_path, flags):
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "dangling").symlink_to(tmp_path / "new")
    for name in ("link", "dangling"):
        with pytest.raises(NotPrivateError, match="is a link"):
            opened(tmp_path / name, flags)
    assert (tmp_path / "secret").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_a_pipe_or_a_folder_in_a_file_s_place_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(NotPrivateError, match="is no plain file"):
            opened(tmp_path / name, os.O_RDONLY)


def test_a_small_file_is_replaced_by_a_name_that_nobody_can_guess(tmp_path):
    (tmp_path / "secret").write_text("mine")
    for name in (f".cursor.json.{os.getpid()}", ".cursor.json"):
        (tmp_path / name).symlink_to(tmp_path / "secret")
    (tmp_path / "cursor.json").symlink_to(tmp_path / "secret")
    replace_json(tmp_path / "cursor.json", {"segment": 1})
    assert (tmp_path / "secret").read_text() == "mine"
    assert read_json(tmp_path / "cursor.json") == {"segment": 1}


@pytest.mark.parametrize("run_id", ["../../../x", "a/b", "", ".x", 7, None, "a" * 101, "it's"])
def test_a_run_id_that_leads_out_of_the_home_is_refused_wherever_it_is_read(tmp_path, run_id):
    folder = publish_spool(prepare_spool(tmp_path, Meta(run_id="r", store="s", experiment="e", name="n")))
    replace_json(folder / "meta.json", {**read_json(folder / "meta.json"), "run_id": run_id})
    assert read_meta(folder) is None


@pytest.mark.parametrize("target", ["file", "folder"])
def test_a_link_among_the_spools_or_in_place_of_them_is_no_spool(tmp_path, target):
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    folder = publish_spool(prepare_spool(elsewhere, Meta(run_id="r", store="s", experiment="e", name="n")))
    if target == "file":
        private_folder(home, "spool")
        (home / "spool" / "r.1-1-1").symlink_to(folder)
    else:
        home.mkdir()
        (home / "spool").symlink_to(elsewhere / "spool")
    assert find_spools(home) == []
    hidden = elsewhere / "spool" / ".old.shipped"
    hidden.mkdir()
    remove_retired(home)
    assert hidden.exists()


def test_a_home_that_a_group_can_write_is_closed_if_it_is_nothing_but_a_home(tmp_path):
    home = tmp_path / "home"
    private_folder(home, "spool")
    home.chmod(0o775)
    private_folder(home, "runs")
    assert mode(home) == 0o755
    (home / "thesis.tex").touch()
    home.chmod(0o775)
    close_to_others(home)
    assert mode(home) == 0o775
    with pytest.raises(NotPrivateError, match=r"can be written by others \(mode 0775\)"):
        private_folder(home, "runs")


def test_a_home_in_a_folder_where_all_may_write_is_fine_and_another_user_s_is_not(tmp_path):
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    assert private_folder(shared / "home", "spool").is_dir()
    (shared / "theirs").mkdir()
    if os.geteuid() == 0:
        os.chown(shared / "theirs", 65534, -1)
    else:
        (shared / "theirs").chmod(0o757)
        (shared / "theirs" / "x").touch()
    with pytest.raises(NotPrivateError, match="set GROKSCOPE_HOME to a folder of your own"):
        private_folder(shared / "theirs", "spool")


def test_a_home_that_root_has_mounted_is_used_by_whoever_may_write_there(tmp_path, monkeypatch):
    """As a container's volume, which may be open to all; what is in it has to be one's own all the same."""
    if os.geteuid() == 0:
        tmp_path.chmod(0o777)
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
        check_place(tmp_path)
    else:
        check_place(tmp_path.__class__("/tmp"))
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(NotPrivateError):
        check_place(tmp_path / "link")

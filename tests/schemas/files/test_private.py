"""Two rules for two contents: what can be read anew is distrusted sooner than what is nowhere else."""

import os
import stat
import subprocess
import sys

import pytest

from grokscope.schemas.files.private import NotPrivateError, closed_folder, content_of, opened


def test_a_file_that_others_can_read_is_taken_unless_it_can_be_made_again(tmp_path):
    path = tmp_path / "a"
    path.write_text("x")
    path.chmod(0o640)
    assert content_of(path) == b"x"
    with pytest.raises(NotPrivateError, match=rf"can be read by others \(mode 0640\).*'chmod go= {path}'"):
        opened(path, os.O_RDONLY, may_be_read=False)
    path.chmod(0o600)
    os.close(opened(path, os.O_RDONLY, may_be_read=False))


@pytest.mark.parametrize(
    ("mode", "is_trusted"), [(0o700, True), (0o755, True), (0o775, False), (0o707, False)]
)
def test_a_folder_is_closed_and_whether_others_could_write_into_it_is_told(tmp_path, mode, is_trusted):
    folder = tmp_path / "mirror"
    folder.mkdir()
    folder.chmod(mode)
    assert closed_folder(folder) is is_trusted
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert closed_folder(folder)


def test_no_link_and_no_file_is_made_a_closed_folder(tmp_path):
    (tmp_path / "there").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "file").touch()
    with pytest.raises(NotPrivateError, match="is a link"):
        closed_folder(tmp_path / "link")
    with pytest.raises(FileExistsError):
        closed_folder(tmp_path / "file")
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o755


def test_all_is_imported_where_there_are_no_locks_and_no_users_as_on_windows():
    code = (
        "import sys; sys.modules['fcntl'] = sys.modules['pwd'] = None\n"
        "import grokscope.schemas\n"
        "from grokscope.schemas.files import locks, private, replacing\n"
        "from grokscope import store\n"
        "try: locks.try_lock(0)\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "this system has no locks on files\n"

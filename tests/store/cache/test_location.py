"""The room that all mirrors have together."""

import os

from grokscope.store.cache.files import MANIFEST
from grokscope.store.cache.location import mirror_folder, open_mirror, prune


def test_mirrors_of_2_gib_in_all_stay_and_with_a_byte_more_the_one_unused_for_longest_goes(tmp_path):
    for name, used_s in (("earlier", 1), ("later", 2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / MANIFEST).touch()
        os.utime(folder / MANIFEST, (used_s, used_s))
        with (folder / "piece").open("wb") as piece:
            piece.truncate(1 << 30)  # a hole, which takes no room on the disk
    assert prune(tmp_path) == []
    os.truncate(tmp_path / "later" / "piece", (1 << 30) + 1)
    assert prune(tmp_path) == [tmp_path / "earlier"]
    assert [path.name for path in tmp_path.iterdir()] == ["later"]


def test_a_file_that_a_link_leads_to_is_not_touched(tmp_path):
    uri, root, other = "sqlite:////x.db", tmp_path / "mirror", tmp_path / "other"
    open_mirror(uri, root=root).close()
    other.touch()
    os.utime(other, (1, 1))
    (mirror_folder(uri, root=root) / MANIFEST).symlink_to(other)
    open_mirror(uri, root=root).close()
    assert other.stat().st_mtime == 1

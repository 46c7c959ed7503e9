"""What is read of a file of arrays that is longer than it may be."""

import pytest

from grokscope.store.arrays.places import _content as content_of


@pytest.mark.parametrize("length", [0, 3, 4, 9])
def test_a_file_comes_whole_or_with_more_than_is_allowed_so_that_it_shows(length, tmp_path):
    path = tmp_path / "arrays"
    path.write_bytes(b"x" * length)
    content = content_of(path, most=3)
    assert content == b"x" * len(content)
    assert len(content) == length if length <= 3 else len(content) > 3

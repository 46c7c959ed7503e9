"""What MLflow's client raises, as a sentence with what to do."""

import errno
import os

import pytest

from grokscope.store.errors import AccessError, NoRoomError, ServerFailedError, StoreError
from grokscope.store.mlflow_client.errors import explained


@pytest.mark.parametrize(("name", "needed"), [("psycopg2", "psycopg2"), (None, "all of mlflow")])
def test_what_is_not_installed_is_named(name, needed):
    with pytest.raises(StoreError) as caught, explained("postgresql://ann:pw@h/db"):
        raise ImportError("no", name=name)
    assert str(caught.value) == (
        f"postgresql://h/db needs {needed}, which is not installed; "
        f"run: pip install 'grokscope[app]', or install {needed} itself"
    )


@pytest.mark.parametrize(("length", "shown"), [(200, "x" * 200), (201, "x" * 200 + "…")])
def test_a_long_error_is_cut_and_marked_so(length, shown):
    with pytest.raises(StoreError) as caught, explained("http://h"):
        raise ValueError("x" * length)
    assert str(caught.value) == f"http://h failed: {shown}. See the log of the store for the cause."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError("(sqlite3.OperationalError) database or disk is full [SQL: INSERT] (Background on …)"),
            "(sqlite3.OperationalError) database or disk is full",
        ),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "[Errno 28] No space left on device"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "[Errno 122] Disk quota exceeded"),
    ],
)
def test_a_full_disk_is_told_in_one_sentence_with_what_to_do(error, said):
    with pytest.raises(NoRoomError) as caught, explained("sqlite:///m.db"):
        raise error
    assert str(caught.value).startswith(f"sqlite:///m.db: {said}. The disk is full, or takes no more")


def test_what_was_to_be_written_is_not_taken_for_what_went_wrong():
    with pytest.raises(ServerFailedError, match=r"failed: no way\. See the log"), explained("http://h"):
        raise ValueError("no way [SQL: INSERT] [parameters: ('disk I/O error', 'database is locked')]")


def test_a_place_on_this_machine_that_cannot_be_used_is_named(tmp_path):
    place = tmp_path / "file" / "in"
    (tmp_path / "file").touch()
    with pytest.raises(AccessError) as caught, explained("sqlite:///m.db"):
        place.mkdir()
    assert str(caught.value) == (
        f"sqlite:///m.db: {place} cannot be used: Not a directory. Check the path and its rights."
    )

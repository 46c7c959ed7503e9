"""Artifacts where a database says that they lie: in a folder, or in an object store by MLflow's client."""

import os
import stat
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from grokscope.schemas.arrays import FOLDER
from grokscope.schemas.secrets import redacted
from grokscope.store.arrays.artifacts import ArtifactFile
from grokscope.store.arrays.listing import LISTED_S, Entry, ListedArtifacts, listed
from grokscope.store.deadline import Deadline
from grokscope.store.errors import AccessError, StoreError
from grokscope.store.mlflow_client.client import open_client
from grokscope.store.mlflow_client.errors import explained

CALL_S = 60.0
"""Longest time for one listing or one file of an object store."""

_OBJECT_STORES = frozenset({"s3", "gs", "wasbs", "abfss", "r2", "hdfs", "dbfs"})
_OF_A_SERVER = "mlflow-artifacts"
_OWN = "artifacts"
"""MLflow's name of the folder in a run's own."""

_BARS = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"


class PlacedArtifacts:
    """An ``Artifacts`` on the places that runs of a database name.

    Anybody who may write to the database may name any place. So only files of one name in one folder below it
    are read, only a folder that has the run's id in its path is listed, no link is followed, and no address
    of a kind is asked that is no object store.

    Args:
        uri: The database's address.
        place_of: Run id -> where its artifacts lie.
    """

    def __init__(self, uri: str, place_of: Callable[[str], str]) -> None:
        self._uri = uri
        self._place_of = place_of
        self._deadline = Deadline(redacted(uri))
        self._client: Any = None

    def listed(self, run_id: str) -> ListedArtifacts:
        """Return what is in the run's own folder and below it."""
        root = self._root(run_id)
        if root is None:
            return listed(lambda folder: self._stored(run_id, folder, LISTED_S), place=None)
        if root.parts[-2:] != (run_id, _OWN):
            raise StoreError(
                f"the artifacts of run {run_id!r} are not listed: they are said to lie in "
                f"{redacted(str(root))[:200]!r}, which is no folder that MLflow makes for a run."
            )
        return listed(lambda folder: _entries(root / folder), place=root)

    def files(self, run_id: str) -> list[ArtifactFile]:
        """Return what is in the folder."""
        root = self._root(run_id)
        if root is not None:
            return [
                ArtifactFile(name, told.st_size, told.st_mtime_ns)
                for name, told in _told(root / FOLDER)
                if stat.S_ISREG(told.st_mode)
            ]
        found = self._stored(run_id, FOLDER, CALL_S)
        return [ArtifactFile(entry.name, entry.size) for entry in found if not entry.is_folder]

    def _stored(self, run_id: str, folder: str, whole_s: float) -> list[Entry]:
        """Return what an object store lists."""
        found = self._asked(lambda client: client.list_artifacts(run_id, folder or None), whole_s)
        return [
            Entry(str(file.path).rpartition("/")[2], int(file.file_size or 0), bool(file.is_dir))
            for file in found
        ]

    def content(self, run_id: str, name: str, *, most: int) -> bytes:
        """Return what the file holds."""
        root = self._root(run_id)
        if root is not None:
            return _content(root / FOLDER / name, most=most)

        def downloaded(client: Any) -> bytes:
            with tempfile.TemporaryDirectory(prefix="grokscope-") as place, _without_bars():
                path = client.download_artifacts(run_id, f"{FOLDER}/{name}", place)
                return _content(Path(path), most=most)

        return self._asked(downloaded)

    def _root(self, run_id: str) -> Path | None:
        """Return the folder of this machine that has the run's artifacts; ``None`` for an object store."""
        place = self._place_of(run_id)
        folder = folder_of(place)
        if folder is not None:
            return folder
        scheme = urlsplit(place).scheme.lower()
        if scheme in _OBJECT_STORES:
            return None
        if scheme == _OF_A_SERVER:
            why = "a server keeps them: open the store by the server's address"
        else:
            why = (
                f"they lie in {redacted(place)[:200]!r}, and that is read from folders and object stores only"
            )
        raise StoreError(f"the artifacts of run {run_id!r} cannot be read; {why}.")

    def _asked(self, question: Callable[[Any], Any], whole_s: float = CALL_S) -> Any:
        def asked(_sign: Callable[[], None]) -> Any:
            with explained(self._uri):
                if self._client is None:
                    _, self._client = open_client(self._uri)
                return question(self._client)

        return self._deadline.ask(asked, silence_s=whole_s, whole_s=whole_s)


@contextmanager
def _without_bars() -> Generator[None]:
    """Keep MLflow from drawing a bar for each file: it asks the environment only, which is put back."""
    before = os.environ.get(_BARS)
    os.environ[_BARS] = "false"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_BARS, None)
        else:
            os.environ[_BARS] = before


def folder_of(place: str) -> Path | None:
    """Return the folder of this machine that an artifact's address means; ``None`` if it means none.

    >>> folder_of("file:///data/ml%20runs/0/r/artifacts").as_posix(), folder_of("/data/0").as_posix()
    ('/data/ml runs/0/r/artifacts', '/data/0')
    >>> folder_of("s3://bucket/0"), folder_of("file://host/share"), folder_of("mlruns/0")
    (None, None, None)
    """
    try:
        parts = urlsplit(place)
    except ValueError:
        return None
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost") or "\0" in unquote(place):
        return None
    path = Path(unquote(parts.path) if parts.scheme else place)
    return path if path.is_absolute() else None


def _entries(folder: Path) -> list[Entry]:
    return [
        Entry(name, told.st_size if stat.S_ISREG(told.st_mode) else 0, stat.S_ISDIR(told.st_mode))
        for name, told in _told(folder)
        if stat.S_ISREG(told.st_mode) or stat.S_ISDIR(told.st_mode)
    ]


def _told(folder: Path) -> list[tuple[str, os.stat_result]]:
    try:
        if folder.is_symlink():
            raise AccessError(
                f"{folder} is a link, which is not followed. Put the folder itself in its place."
            )
        with os.scandir(folder) as entries:
            return [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise AccessError(f"{folder} cannot be read ({error}). Check its permissions.") from error


def _content(path: Path, *, most: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with closing(os.fdopen(fd, "rb")) as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise AccessError(f"{path} is no file. Remove it.")
            return file.read(most + 1)
    except OSError as error:
        raise AccessError(f"{path} cannot be read ({error}). Check its permissions.") from error

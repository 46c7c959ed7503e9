"""Artifacts through an MLflow server, which finds them: where it says that they lie is never followed."""

from grokscope.schemas.arrays import FOLDER
from grokscope.store.arrays.artifacts import ArtifactFile
from grokscope.store.arrays.listing import Entry, ListedArtifacts, listed
from grokscope.store.deadline import paged
from grokscope.store.rest.answers import Part
from grokscope.store.rest.calls import RestCalls

_LIST = "artifacts/list"
_GET = "/get-artifact"


class ServerArtifacts:
    """An ``Artifacts`` on a server's REST interface.

    Args:
        calls: Asks the server.
        shown: What to call it.
    """

    def __init__(self, calls: RestCalls, *, shown: str) -> None:
        self._calls = calls
        self._shown = shown

    def listed(self, run_id: str) -> ListedArtifacts:
        """Return what the server lists, folder by folder."""
        return listed(lambda folder: self._entries(run_id, folder), place=None)

    def files(self, run_id: str) -> list[ArtifactFile]:
        """Return what the server lists."""
        found = self._entries(run_id, FOLDER)
        return [ArtifactFile(entry.name, entry.size) for entry in found if not entry.is_folder]

    def _entries(self, run_id: str, folder: str) -> list[Entry]:
        def entries(answer: Part) -> tuple[list[Entry], str]:
            found = [
                Entry(part.text("path").rpartition("/")[2], part.whole("file_size", 0), part.flag("is_dir"))
                for part in answer.parts("files")
            ]
            return found, answer.text("next_page_token", "")

        def ask(token: str | None) -> tuple[list[Entry], str]:
            asked = {"run_id": run_id, "path": folder or None, "page_token": token}
            return self._calls.get(_LIST, asked, entries)

        pages = paged(f"{self._shown}: the list of a run's artifacts", ask)
        return [entry for page in pages for entry in page]

    def content(self, run_id: str, name: str, *, most: int) -> bytes:
        """Return what the server sends."""
        asked = {"run_id": run_id, "path": f"{FOLDER}/{name}"}
        return self._calls.content(_GET, asked, most=most)

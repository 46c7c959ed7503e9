"""Artifacts through an MLflow server, which finds them: where it says that they lie is never followed."""

from grokscope.schemas.arrays import FOLDER
from grokscope.store.arrays.artifacts import ArtifactFile
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

    def files(self, run_id: str) -> list[ArtifactFile]:
        """Return what the server lists."""

        def entries(answer: Part) -> tuple[list[ArtifactFile], str]:
            found = [
                ArtifactFile(part.text("path").rpartition("/")[2], part.whole("file_size", 0))
                for part in answer.parts("files")
            ]
            return found, answer.text("next_page_token", "")

        def ask(token: str | None) -> tuple[list[ArtifactFile], str]:
            asked = {"run_id": run_id, "path": FOLDER, "page_token": token}
            return self._calls.get(_LIST, asked, entries)

        pages = paged(f"{self._shown}: the list of a run's arrays", ask)
        return [file for page in pages for file in page]

    def content(self, run_id: str, name: str, *, most: int) -> bytes:
        """Return what the server sends."""
        asked = {"run_id": run_id, "path": f"{FOLDER}/{name}"}
        return self._calls.content(_GET, asked, most=most)

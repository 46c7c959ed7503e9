"""What arrays are read from: the seam between one reading of files and the places where artifacts lie."""

from typing import NamedTuple, Protocol

from grokscope.store.arrays.listing import ListedArtifacts


class ArtifactFile(NamedTuple):
    """A file among a run's artifacts, as a listing tells it.

    Attributes:
        name: Without its folder.
        size: In bytes, as far as it is told.
        stamp: What changes with its content where the size does not; 0 where nothing is told.
    """

    name: str
    size: int
    stamp: int = 0


class Artifacts(Protocol):
    """Artifacts of runs, and the content of those in one folder; each method raises ``StoreError`` alone."""

    def listed(self, run_id: str) -> ListedArtifacts:
        """Return the names and sizes of all files of a run."""
        ...

    def files(self, run_id: str) -> list[ArtifactFile]:
        """Return what is in the folder of a run; nothing where there is no such folder."""
        ...

    def content(self, run_id: str, name: str, *, most: int) -> bytes:
        """Return the content of a file, or more than ``most`` bytes of it where it is longer."""
        ...


class NoArtifacts:
    """A place without artifacts.

    >>> NoArtifacts().files("run")
    []
    """

    def listed(self, run_id: str) -> ListedArtifacts:  # noqa: ARG002 - the seam's contract
        """Return nothing."""
        return ListedArtifacts()

    def files(self, run_id: str) -> list[ArtifactFile]:  # noqa: ARG002 - the seam's contract
        """Return nothing."""
        return []

    def content(self, run_id: str, name: str, *, most: int) -> bytes:  # noqa: ARG002 - the seam's contract
        """Return nothing."""
        return b""

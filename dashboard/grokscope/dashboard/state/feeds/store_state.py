"""A store as it is reached."""

from dataclasses import dataclass

from grokscope.store.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """A store as it is reached.

    Attributes:
        uri: Its address, without credentials.
        took_s: How long the last reading of what is looked at took; ``None`` before there was one.
        points: Of the experiments that were looked at, how many points of judged curves are in memory.
        mirror: Bytes of its mirror on the disk, and when that was opened or saved last (Unix time in
            seconds); ``None`` without one.
        findings: What the store says of its version and size; a failure where it cannot be asked.
    """

    uri: str
    took_s: float | None
    points: int
    mirror: tuple[int, float] | None
    findings: tuple[Finding, ...]

"""What of a run's log is lost, said from the tags that tell it."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.schemas import DAMAGE, DROPPED, FAILED, REFUSED

LOSSES: Mapping[str, str] = MappingProxyType(
    {
        DROPPED: "the disk of its trainer could not take {} points",
        DAMAGE: "of what it had written, {}",
        REFUSED: "the store refused records ({})",
        FAILED: "while it was measured, {}",
    }
)
"""By tag, what is said of its value."""

"""How each kind of event is shown: a row a kind, and the only place to give a new one its look."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from grokscope.schemas import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStyle:
    """How a kind of event is shown; its word is ``Kind.word``.

    Attributes:
        sentence: What it means.
        shape: The sign before its word.
        colour: Of its badge once it is confirmed: green for what was gained, red for what was lost.
    """

    sentence: str
    shape: str
    colour: Literal["green", "red"]


EVENT_STYLES: Mapping[Kind, EventStyle] = MappingProxyType(
    {
        Kind.MEMORIZATION: EventStyle(
            shape="○", colour="green", sentence="The training set is fit and stays fit."
        ),
        Kind.GENERALIZATION: EventStyle(
            shape="●", colour="green", sentence="Held-out accuracy rises above its plateau."
        ),
        Kind.COLLAPSE: EventStyle(
            shape="▼", colour="red", sentence="What was learned is lost, for good or again and again."
        ),
        Kind.RECOVERY: EventStyle(
            shape="▲", colour="green", sentence="Held-out accuracy comes back after it was lost."
        ),
        Kind.SLINGSHOT: EventStyle(
            shape="◇", colour="green", sentence="Train accuracy falls again and again, and always comes back."
        ),
        Kind.PHASE_CHANGE: EventStyle(
            shape="■", colour="green", sentence="A curve leaves its plateau abruptly."
        ),
        Kind.DOUBLE_DESCENT: EventStyle(
            shape="▽",
            colour="green",
            sentence="Held-out loss falls, rises to a peak and falls lower than before.",
        ),
        Kind.DIVERGENCE: EventStyle(
            shape="✕", colour="red", sentence="A loss or an accuracy is no number any more."
        ),
    }
)
"""Every kind has its row."""

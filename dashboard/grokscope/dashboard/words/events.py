"""How each kind of event is shown: a row a kind, and the only place to give a new one its look."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from grokscope.schemas import Kind, Status

Colour = Literal["green", "red", "blue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStyle:
    """How a kind of event is shown; its word is ``Kind.word``.

    Attributes:
        sentence: What it means.
        date: What its step is.
        shape: The sign before its word.
        colour: Of its sign and of its badge once it is confirmed: green for what was gained, red for what was
            lost, blue for what is neither.
    """

    sentence: str
    date: str
    shape: str
    colour: Colour


EVENT_STYLES: Mapping[Kind, EventStyle] = MappingProxyType(
    {
        Kind.MEMORIZATION: EventStyle(
            shape="○", colour="green", date="fit", sentence="The training set is fit and stays fit."
        ),
        Kind.GENERALIZATION: EventStyle(
            shape="●",
            colour="green",
            date="midpoint",
            sentence="A held-out score or loss leaves its plateau and keeps what it gains.",
        ),
        Kind.COLLAPSE: EventStyle(
            shape="▼",
            colour="red",
            date="beginning of the loss",
            sentence="What was learned is lost, for good or again and again.",
        ),
        Kind.RECOVERY: EventStyle(
            shape="▲",
            colour="green",
            date="return",
            sentence="A held-out curve comes back for good after a lasting loss.",
        ),
        Kind.SLINGSHOT: EventStyle(
            shape="◇",
            colour="green",
            date="first fall",
            sentence="The training curve falls again and again, and always comes back.",
        ),
        Kind.DIP: EventStyle(
            shape="◡",
            colour="blue",
            date="fall",
            sentence="A held-out curve falls below half of its rise once and comes back.",
        ),
        Kind.OVERFITTING: EventStyle(
            shape="◢",
            colour="blue",
            date="best level",
            sentence="A held-out curve worsens clearly after its best while training goes on.",
        ),
        Kind.PHASE_CHANGE: EventStyle(
            shape="■", colour="green", date="onset", sentence="A curve leaves its plateau abruptly."
        ),
        Kind.DOUBLE_DESCENT: EventStyle(
            shape="▽",
            colour="green",
            date="worst level between",
            sentence="A held-out loss or score improves, worsens, then passes its first best.",
        ),
        Kind.DIVERGENCE: EventStyle(
            shape="✚",
            colour="red",
            date="first value that is no number",
            sentence="A loss or a score is no number any more.",
        ),
    }
)
"""Every kind has its row."""


def said_of(kind: Kind, status: Status) -> str:
    """Return what an event is called with what its step is; a suspicion is dated where it was raised.

    >>> said_of(Kind.GENERALIZATION, Status.CONFIRMED), said_of(Kind.GENERALIZATION, Status.SUSPECTED)
    ('generalization (midpoint)', 'generalization')
    """
    return kind.word if status is Status.SUSPECTED else f"{kind.word} ({EVENT_STYLES[kind].date})"

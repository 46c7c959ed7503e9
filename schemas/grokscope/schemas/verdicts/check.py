"""A check: one thing that speaks for or against an event, or was seen with it."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check came out."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check on an event.

    Attributes:
        name: What was looked at.
        outcome: How it came out; ``None`` where there was nothing to fail: ``text`` is what was seen.
        text: What was seen, or why nothing can be said.
    """

    name: str
    outcome: Outcome | None = None
    text: str

    @classmethod
    def of(cls, name: str, text: str, *, holds: bool | None) -> "Check":
        """Return the check that passes if ``holds``, fails if not, and is unknown if that is ``None``.

        >>> Check.of("stays", "never below 0.8 since", holds=True).outcome
        <Outcome.PASS: 'pass'>
        """
        if holds is None:
            return cls(name=name, outcome=Outcome.UNKNOWN, text=text)
        return cls(name=name, outcome=Outcome.PASS if holds else Outcome.FAIL, text=text)

"""What a law rests on, and whether it holds in these runs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Premise:
    """One premise of a law.

    Attributes:
        name: What must hold, in a few words.
        holds: Whether it does; ``None`` where it cannot be tested.
        sentence: What was found.
    """

    name: str
    holds: bool | None
    sentence: str


def refusal(premises: Sequence[Premise]) -> str | None:
    """Return why the law is refused: what fails, in one sentence; ``None`` if nothing does.

    >>> refusal([Premise(name="span", holds=False, sentence="lr spans .1 decades, .5 are needed")])
    'lr spans .1 decades, .5 are needed'
    """
    failed = [premise.sentence for premise in premises if premise.holds is False]
    return "; ".join(failed) or None


def different_values(shown: int, *, needed: int, of: str) -> Premise:
    """Return the premise that runs reach the target at enough values of a variable.

    Args:
        shown: At how many values above 0 they do.
        needed: How many there must be.
        of: The variable.

    >>> different_values(2, needed=3, of="lr").sentence
    'runs reach the target at 2 values of lr above 0; 3 are needed'
    """
    return Premise(
        name="different values",
        holds=shown >= needed,
        sentence=f"runs reach the target at {shown} {'value' if shown == 1 else 'values'} of {of} above 0; "
        f"{needed} are needed",
    )

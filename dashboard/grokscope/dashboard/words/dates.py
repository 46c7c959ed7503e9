"""What each date of a verdict is called and means: one name for each, wherever it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from grokscope.schemas import CurveOutcome, Date, Pattern, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWords:
    """How a date is said.

    Attributes:
        field: Of a verdict; also the name in its JSON.
        sentence: What happens there.
    """

    field: str
    sentence: str


DATES: Mapping[str, DateWords] = MappingProxyType(
    {
        "memorized": DateWords(field="memorized", sentence="The training set is fit, and stays fit."),
        "onset": DateWords(
            field="onset", sentence="The held-out curve leaves its plateau: 10 % of its rise are done."
        ),
        "midpoint": DateWords(
            field="midpoint", sentence="Half of the rise is done; the delay is counted to here."
        ),
        "completion": DateWords(field="generalized", sentence="The rise is done, and its level is kept."),
    }
)
"""In the order in which a run that groks passes them."""


def date_of(judged: Verdict | CurveOutcome, name: str) -> Date | None:
    """Return the date called ``name``, or ``None`` if it is not told.

    >>> from grokscope.schemas import Pattern
    >>> done = Date(step=9, low=8, high=9)
    >>> date_of(Verdict(run="a", pattern=Pattern.GROKKING, generalized=done), "completion")
    Date(step=9, low=8, high=9)
    """
    date: Date | None = getattr(judged, DATES[name].field)
    return date


def kept_date(judged: Verdict, name: str) -> Date | None:
    """Return the date called ``name``; ``None`` if it is not told, or the run has lost what it had then.

    >>> done = Date(step=9, low=8, high=9)
    >>> kept_date(Verdict(run="a", pattern=Pattern.COLLAPSE, generalized=done), "completion")
    """
    return None if judged.pattern is Pattern.COLLAPSE else date_of(judged, name)

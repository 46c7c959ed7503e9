"""The record of an answer: one a question, whoever asks and however it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from grokscope.schemas.secrets import redacted

_LONGEST_LINK = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of an answer, with its interval.

    Attributes:
        what: What was counted or measured.
        of: Whose it is: a group's or a run's name, as it was logged; empty for all.
        value: ``None`` where it cannot be told; ``why`` says so.
        low, high: Of its 95 % interval; ``None`` where that is unbounded or not known.
        unit: What is counted.
        why: Why there is no value, or no interval.
    """

    what: str
    of: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known, how surely, and what is missing. In each sequence the most important comes first.

    Attributes:
        question: Which.
        experiment: Of which experiment; empty where it is of several.
        sentences: The answer, then what qualifies it; names stand in them as ``names.named`` puts them.
        verdict: The answer in one of a few fixed words, for programs; empty where there are none.
        numbers: What the sentences say, exactly, and more.
        evidence: What speaks for it.
        missing: What could not be told, and why.
        link: Where the app shows it, relative to its address.
        store: Address of the store, without credentials.
    """

    question: str
    experiment: str = ""
    sentences: Sequence[str]
    verdict: str = ""
    numbers: Sequence[Number] = ()
    evidence: Sequence[str] = ()
    missing: Sequence[str] = ()
    link: str = ""
    store: str = ""


def page(view: str, *, experiment: str = "", runs: Sequence[str] = ()) -> str:
    """Return the address of one of the app's views, relative to the app's own.

    An address that would be too long, or hold a secret, names the view only.

    >>> page("compare", experiment="a b", runs=["0" * 3])
    '/compare?experiment=a%20b&runs=000'
    """
    parts = [f"experiment={quote(experiment, safe='')}"] if experiment else []
    parts += [f"runs={','.join(runs)}"] if runs else []
    full = f"/{view}?{'&'.join(parts)}" if parts else f"/{view}"
    fits = len(full) <= _LONGEST_LINK and redacted(experiment) == experiment
    return full if fits else f"/{view}"

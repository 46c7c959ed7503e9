"""What a query says: conditions, and how they are joined. ``str`` of each is a text that reads the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from grokscope.schemas.runs.query.tokens import is_plain, quoted

FUNCTIONS = ("last", "best", "min", "max")
"""What of a metric is meant."""

DATES = ("memorized", "onset", "generalized", "delay")
"""Fields of a verdict that a run has or has not."""

PREFIXES = {
    "param.": "param", "params.": "param", "tag.": "tag", "tags.": "tag",
    "metric.": "metric", "metrics.": "metric",
}  # fmt: skip
"""What stands before a name -> what the name is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What a condition is about.

    Attributes:
        name: As it was written.
        function: One of ``FUNCTIONS`` for ``last(NAME)`` and the like; else ``""``.
        place: Where it stands in the query; two terms that differ only in it are the same.
    """

    name: str
    function: str = ""
    place: int = field(default=0, compare=False)

    def __str__(self) -> str:
        if self.function:
            return f"{self.function}({self.name if is_plain(self.name) else quoted(self.name, '`')})"
        is_bare = is_plain(self.name) and self.name.lower() not in FUNCTIONS
        return self.name if is_bare else quoted(self.name, "`")


def asks_presence(name: str) -> bool:
    """Say whether a name that stands alone asks whether a run has it; any other is looked for in runs' names.

    >>> [asks_presence(name) for name in ("onset", "tag.bad", "seed")]
    [True, True, False]
    """
    return name.lower() in DATES or name.lower().startswith(tuple(PREFIXES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A term beside values: ``sign`` is one of ``= != < <= > >= ~ in`` and ``not in``.

    Several values only for the last two.
    """

    term: Term
    sign: str
    values: tuple[str, ...]
    place: int = field(default=0, compare=False)

    def __str__(self) -> str:
        told = [value if is_plain(value) else quoted(value) for value in self.values]
        listed = f"({', '.join(told)})" if self.sign.endswith("in") else told[0]
        return f"{self.term} {self.sign} {listed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """The run has it: a date, a param, a metric; of a tag, also that it does not say no."""

    term: Term

    def __str__(self) -> str:
        told = str(self.term)
        is_bare = self.term.function or told.startswith("`") or asks_presence(self.term.name)
        return told if is_bare else quoted(self.term.name, "`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """The run's name contains this text, in capitals or not."""

    text: str
    place: int = field(default=0, compare=False)

    def __str__(self) -> str:
        is_bare = is_plain(self.text) and not asks_presence(self.text) and self.text.lower() not in FUNCTIONS
        return self.text if is_bare else quoted(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The runs for which a clause does not hold, those of which nothing is known included."""

    clause: "Clause"

    def __str__(self) -> str:
        return f"not {_inner(self.clause, AllOf, AnyOf)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """All of two or more clauses; none of them is an ``AllOf``."""

    clauses: "tuple[Clause, ...]"

    def __str__(self) -> str:
        return " and ".join(_inner(clause, AnyOf) for clause in self.clauses)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """At least one of two or more clauses; none of them is an ``AnyOf``."""

    clauses: "tuple[Clause, ...]"

    def __str__(self) -> str:
        return " or ".join(map(str, self.clauses))


Condition = Comparison | Presence | Mention
Clause = Condition | Not | AllOf | AnyOf


def negated(clause: Clause) -> Clause:
    """Return what holds where ``clause`` does not; twice is nothing.

    >>> negated(negated(Mention(text="a"))) == Mention(text="a")
    True
    """
    return clause.clause if isinstance(clause, Not) else Not(clause=clause)


def all_of(*clauses: Clause) -> Clause:
    """Return the clause that holds where all of ``clauses`` do."""
    parts = tuple(chain(*(one.clauses if isinstance(one, AllOf) else (one,) for one in clauses)))
    return parts[0] if len(parts) == 1 else AllOf(clauses=parts)


def any_of(*clauses: Clause) -> Clause:
    """Return the clause that holds where one of ``clauses`` does."""
    parts = tuple(chain(*(one.clauses if isinstance(one, AnyOf) else (one,) for one in clauses)))
    return parts[0] if len(parts) == 1 else AnyOf(clauses=parts)


def conditions_in(clause: Clause) -> Iterator[Condition]:
    """Yield the conditions of a clause, in order."""
    if isinstance(clause, Not):
        yield from conditions_in(clause.clause)
    elif isinstance(clause, AllOf | AnyOf):
        for one in clause.clauses:
            yield from conditions_in(one)
    else:
        yield clause


def _inner(clause: Clause, *looser: type) -> str:
    return f"({clause})" if isinstance(clause, looser) else str(clause)

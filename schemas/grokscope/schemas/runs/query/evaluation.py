"""For which runs a query holds: one column of truth values a condition, joined column by column.

No Python function runs inside a Polars expression: such a call deadlocks beside other threads.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from grokscope.schemas.runs.query.columns import Columns
from grokscope.schemas.runs.query.conditions import (
    DATES,
    AllOf,
    AnyOf,
    Clause,
    Comparison,
    Mention,
    Not,
    Presence,
    conditions_in,
)
from grokscope.schemas.runs.query.errors import QueryError, closest, shown
from grokscope.schemas.runs.query.facts import Facts
from grokscope.schemas.runs.query.names import Named, Names, Of, meant, signs_of
from grokscope.schemas.runs.query.times import MOMENTS, SPANS, moment_ms, span_ms
from grokscope.schemas.verdicts.verdict import Pattern

STATUSES = ("running", "finished", "failed", "killed", "scheduled")
DIVERGED = "diverged"
"""A word for runs whose loss diverged and that show no other pattern, beside the patterns."""

_UNSET = ("", "0", "false", "no")
_ORDERS: Mapping[str, Callable[[pl.Series, float], pl.Series]] = {
    "<": lambda column, limit: column < limit,
    "<=": lambda column, limit: column <= limit,
    ">": lambda column, limit: column > limit,
    ">=": lambda column, limit: column >= limit,
}


class Evaluation:
    """One decision on one set of runs.

    Args:
        facts: What is known of them.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._names = Names.of(facts)
        self._columns = Columns(facts)
        self._decided: dict[Clause, pl.Series] = {}

    def holds(self, clause: Clause) -> pl.Series:
        """Return for which rows of ``facts.runs`` a clause holds; never null.

        Raises:
            QueryError: If a condition names what is not there, or compares what cannot be compared.
        """
        self._columns.read_metrics([named for named in self._named_in(clause) if named.of is Of.METRIC])
        return self._holds(clause)

    def _named_in(self, clause: Clause) -> list[Named]:
        found = conditions_in(clause)
        return [meant(one.term, self._names) for one in found if isinstance(one, Comparison | Presence)]

    def _holds(self, clause: Clause) -> pl.Series:
        if clause not in self._decided:
            self._decided[clause] = self._decide(clause)
        return self._decided[clause]

    def _decide(self, clause: Clause) -> pl.Series:
        match clause:
            case Not():
                return ~self._holds(clause.clause)
            case AllOf():
                return _joined([self._holds(one) for one in clause.clauses], is_any=False)
            case AnyOf():
                return _joined([self._holds(one) for one in clause.clauses], is_any=True)
            case Mention():
                return self._mentions(clause)
            case Presence():
                return self._has(clause)
            case Comparison():
                return self._compares(clause).fill_null(value=False)

    def _mentions(self, condition: Mention) -> pl.Series:
        if "name" not in self._names.fields:
            raise QueryError("the runs have no names to look into", place=condition.place)
        return _contains(self._columns.lowered(Named(Of.FIELD, "name")), condition.text)

    def _has(self, condition: Presence) -> pl.Series:
        named = meant(condition.term, self._names)
        column = (
            self._columns.texts(named) if _is_text(named) else self._columns.numbers(named, condition.term)
        )
        if named.of is Of.TAG:
            said = self._columns.lowered(named).str.strip_chars()
            return (~said.is_in(_UNSET)).fill_null(value=False)
        return column.is_not_null()

    def _compares(self, condition: Comparison) -> pl.Series:
        named = meant(condition.term, self._names)
        _check_sign(condition, signs_of(named))
        if named.of is Of.FIELD and named.name in ("started", "ended"):
            return self._times(condition, self._columns.numbers(named, condition.term))
        if named.of is Of.FIELD and named.name == "duration":
            return self._spans(condition, self._columns.numbers(named, condition.term))
        if not _is_text(named):
            return _numbers(condition, self._columns.numbers(named, condition.term))
        if named.of is Of.FIELD and named.name in ("pattern", "status"):
            return self._words(condition, named)
        return self._texts(condition, named)

    def _texts(self, condition: Comparison, named: Named) -> pl.Series:
        """Compare texts; numbers are compared as numbers where both sides are, and so are true and false."""
        sign, values = condition.sign, condition.values
        if sign == "~":
            return _contains(self._columns.lowered(named), values[0])
        number = self._columns.parsed(named)
        if sign in _ORDERS:
            return _ORDERS[sign](number, _limit(condition, values[0]))
        same = self._columns.texts(named).is_in(list(values))
        if numbers := [found for value in values if (found := _number(value)) is not None]:
            same |= number.is_in(numbers).fill_null(value=False)
        if flags := [value.lower() for value in values if value.lower() in ("true", "false")]:
            same |= self._columns.lowered(named).is_in(flags)
        return same if sign in ("=", "in") else ~same

    def _times(self, condition: Comparison, column: pl.Series) -> pl.Series:
        text = condition.values[0]
        moment, ago = moment_ms(text), span_ms(text)
        if moment is None and (ago is None or condition.sign in ("=", "!=")):
            raise _needs(
                condition, MOMENTS if condition.sign not in ("=", "!=") else "a date such as 2026-11-28"
            )
        begin, end = moment or (self._facts.now_ms - (ago or 0), None)
        if condition.sign in _ORDERS:
            return _ORDERS[condition.sign](column, begin)
        on_it = (column >= begin) & (column < end)
        return on_it if condition.sign == "=" else ~on_it

    def _spans(self, condition: Comparison, column: pl.Series) -> pl.Series:
        limit = span_ms(condition.values[0])
        if limit is None:
            raise _needs(condition, f"a time with its unit, such as {SPANS}")
        return _ORDERS[condition.sign](column, limit)

    def _words(self, condition: Comparison, named: Named) -> pl.Series:
        """Return for which runs a status or a pattern is one of some words."""
        column = self._columns.lowered(named)
        words = words_for_patterns(self._facts)
        if named.name == "status":
            seen = column.drop_nulls().unique().to_list()
            words = {word: word for word in (*STATUSES, *seen)}
        wanted = [words.get(value.strip().casefold()) for value in condition.values]
        if None in wanted:
            got = condition.values[wanted.index(None)]
            told = ", ".join(map(shown, sorted(words)[:20]))
            raise QueryError(
                f"{named.name} is one of {told}, got {shown(got)}{closest(got, words)}", place=condition.place
            )
        same = column.is_in([word for word in wanted if word is not None])
        if DIVERGED in wanted and named.name == "pattern":
            same |= self._columns.diverged()
        return same if condition.sign in ("=", "in") else ~same


def _joined(columns: Sequence[pl.Series], *, is_any: bool) -> pl.Series:
    frame = pl.DataFrame({str(at): column for at, column in enumerate(columns)})
    return frame.select(pl.any_horizontal("*") if is_any else pl.all_horizontal("*")).to_series()


def words_for_patterns(facts: Facts) -> dict[str, str]:
    """Return what ``pattern`` can be compared with, in small letters -> the pattern's value.

    A pattern's value means itself, whatever the words that are shown.
    """
    own = {pattern.value: pattern.value for pattern in Pattern}
    return (
        own
        | {DIVERGED: DIVERGED}
        | {
            word.casefold(): pattern
            for word, pattern in facts.pattern_words.items()
            if word.casefold() not in own
        }
    )


def _is_text(named: Named) -> bool:
    """Say whether what is named is compared as texts, too; the rest are numbers of steps, ms or a metric."""
    numbers = (*DATES, "started", "ended", "duration")
    return named.of is not Of.METRIC and not (named.of is Of.FIELD and named.name in numbers)


def _numbers(condition: Comparison, column: pl.Series) -> pl.Series:
    limits = [_limit(condition, value) for value in condition.values]
    if condition.sign in _ORDERS:
        return _ORDERS[condition.sign](column, limits[0])
    same = column.is_in(limits)
    return same if condition.sign in ("=", "in") else ~same


def _contains(column: pl.Series, part: str) -> pl.Series:
    return column.str.contains(part.lower(), literal=True).fill_null(value=False)


def _check_sign(condition: Comparison, allowed: Sequence[str]) -> None:
    if condition.sign not in allowed:
        told = f"{condition.term} is compared with {', '.join(allowed)}, got {condition.sign}"
        raise QueryError(told, place=condition.place)


def _limit(condition: Comparison, text: str) -> float:
    limit = _number(text)
    if limit is None:
        raise _needs(condition, "a number")
    return limit


def _needs(condition: Comparison, what: str) -> QueryError:
    got = shown(condition.values[0])
    return QueryError(f"{condition.term} {condition.sign} needs {what}, got {got}", place=condition.place)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return None if math.isnan(found) else found

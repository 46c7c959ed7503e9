"""What the name in a condition means: a field, a param, a metric or a tag."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from grokscope.schemas.runs.description import guessed_param
from grokscope.schemas.runs.query.conditions import DATES, FUNCTIONS, PREFIXES, Term
from grokscope.schemas.runs.query.errors import QueryError, closest, shown
from grokscope.schemas.runs.query.facts import Facts

_MOST_NAMED, _MOST_TOLD = 20, 8


class Of(StrEnum):
    """What a name is of."""

    FIELD = "field"
    PARAM = "param"
    METRIC = "metric"
    TAG = "tag"


FIELDS: Mapping[str, str] = {
    "name": "name", "group": "group", "seed": "seed", "status": "status",
    "pattern": "verdicts", "memorized": "verdicts", "onset": "verdicts", "generalized": "verdicts",
    "delay": "verdicts", "started": "started_ms", "ended": "ended_ms", "duration": "started_ms",
}  # fmt: skip
"""Field -> the column of ``Facts.runs`` that it needs, or ``verdicts``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What can be named in a query on some runs.

    Attributes:
        fields: Those of ``FIELDS`` that are known.
        params, metrics: Names.
        tags: Names; ``None`` where tags are not known.
        values: Param, field or status -> some of its values, in order, to be offered; without secrets.
    """

    fields: Collection[str] = ()
    params: Collection[str] = ()
    metrics: Collection[str] = ()
    tags: Collection[str] | None = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @classmethod
    def of(cls, facts: Facts) -> "Names":
        """Return what can be named, without values."""
        known = {*facts.runs.columns, *(("verdicts",) if facts.verdicts is not None else ())}
        return cls(
            fields=[name for name, needed in FIELDS.items() if needed in known],
            params=facts.params["key"].unique().to_list(),
            metrics=facts.metric_names if facts.metrics is not None else (),
            tags=None if facts.tags is None else facts.tags["key"].unique().to_list(),
        )


@dataclass(frozen=True, slots=True)
class Named:
    """What a term means: ``name`` is its own, ``function`` one of ``FUNCTIONS`` for metrics, else ``""``."""

    of: Of
    name: str
    function: str = ""


_EQUAL, _ORDER, _LISTS = ("=", "!="), ("<", "<=", ">", ">="), ("in", "not in")


def signs_of(named: Named) -> tuple[str, ...]:
    """Return what it can be compared with.

    >>> signs_of(Named(Of.FIELD, "duration"))
    ('<', '<=', '>', '>=')
    """
    if named.of is Of.METRIC or (named.of is Of.FIELD and named.name in DATES):
        return (*_EQUAL, *_ORDER, *_LISTS)
    if named.of is not Of.FIELD or named.name in ("name", "group", "seed"):
        return (*_EQUAL, *_ORDER, "~", *_LISTS)
    if named.name in ("pattern", "status"):
        return (*_EQUAL, *_LISTS)
    return _ORDER if named.name == "duration" else (*_ORDER, *_EQUAL)


def named_param(name: str, params: Collection[str]) -> str:
    """Return which of ``params`` a person means by ``name``.

    That is the one with this name; else the one that means the same (``lr`` and
    ``intervention.protocol.lr``); else the only one whose last part it is.

    Raises:
        QueryError: If there is none, or more than one.

    >>> named_param("wd", ["intervention.regularization.weight_decay", "seed"])
    'intervention.regularization.weight_decay'
    """
    found = _params_meant(name, params)
    if len(found) == 1:
        return found[0]
    told = ", ".join(sorted(found or params)[:_MOST_NAMED]) or "none"
    if found:
        raise QueryError(f"{name!r} may be any of {told}; give its whole name")
    raise QueryError(f"the runs have no param {name!r}; they have {told}")


def meant(term: Term, names: Names) -> Named:
    """Return what a term means.

    A field comes first, then a param or a metric of that very name, then a param by its meaning or last part;
    ``param.``, ``metric.`` and ``tag.`` say which is meant. A tag that no run has is none of any run's.

    Raises:
        QueryError: If it means nothing of these runs, or several things.

    >>> meant(Term(name="lr"), Names(params=["opt.lr"], metrics=["lr_scale"])).name
    'opt.lr'
    """
    name = term.name
    if term.function:
        return _metric(term, name, names, term.function)
    if (of := _exactly(name, names)) is not None:
        return Named(of, name, "last" if of is Of.METRIC else "")
    if (prefix := next((prefix for prefix in PREFIXES if name.lower().startswith(prefix)), "")) != "":
        return _prefixed(term, PREFIXES[prefix], name[len(prefix) :], names)
    return _loosely(term, names)


def _exactly(name: str, names: Names) -> Of | None:
    known = ((Of.FIELD, names.fields), (Of.PARAM, names.params), (Of.METRIC, names.metrics))
    return next((of for of, some in known if name in some), None)


def _loosely(term: Term, names: Names) -> Named:
    name = term.name
    if found := _params_meant(name, names.params):
        return Named(Of.PARAM, _only(term, found))
    if found := _same_folded(name, names.metrics):
        return Named(Of.METRIC, _only(term, found), "last")
    if name.lower() in names.fields:
        return Named(Of.FIELD, name.lower())
    raise _unknown(term, names)


def _prefixed(term: Term, kind: str, name: str, names: Names) -> Named:
    if kind == "metric":
        return _metric(term, name, names, "last")
    if kind == "param":
        found = _params_meant(name, names.params)
        if not found:
            raise QueryError(
                f"no run has a param {shown(name)}{closest(name, names.params)}", place=term.place
            )
        return Named(Of.PARAM, _only(term, found))
    if names.tags is None:
        raise QueryError(f"{shown(term.name)} asks for a tag, and of these runs no tags are known; "
                         "ask for params, or the runs of a store", place=term.place)  # fmt: skip
    found = _params_meant(name, names.tags) if name not in names.tags else [name]
    return Named(Of.TAG, _only(term, found) if found else name)


def _metric(term: Term, name: str, names: Names, function: str) -> Named:
    found = [name] if name in names.metrics else _same_folded(name, names.metrics)
    if not found:
        told = closest(name, names.metrics)
        raise QueryError(f"no run has a metric {shown(name)}{told}", place=term.place)
    return Named(Of.METRIC, _only(term, found), function)


def _params_meant(name: str, params: Collection[str]) -> list[str]:
    if name in params:
        return [name]
    ours = guessed_param(name)
    found = [param for param in params if ours is not None and guessed_param(param) == ours]
    return found or [param for param in params if last_part(param).lower() == name.lower()]


def last_part(name: str) -> str:
    """Return what a name ends with, by which alone it may be called.

    >>> last_part("intervention.protocol.lr")
    'lr'
    """
    return re.split(r"[./:]", name)[-1]


def _same_folded(name: str, names: Collection[str]) -> list[str]:
    return [one for one in names if one.casefold() == name.casefold()]


def _only(term: Term, found: Sequence[str]) -> str:
    if len(found) == 1:
        return found[0]
    told = ", ".join(map(shown, sorted(found)[:_MOST_NAMED]))
    raise QueryError(f"{shown(term.name)} may be any of {told}; give its whole name", place=term.place)


def _unknown(term: Term, names: Names) -> QueryError:
    name = term.name
    if name.lower() in FIELDS:
        return QueryError(f"{shown(name)} is not known of these runs", place=term.place)
    known = chain(names.fields, names.params, names.metrics, (f"tag.{tag}" for tag in names.tags or ()))
    told = closest(name, [*known, *FUNCTIONS]) or _some(names)
    return QueryError(f"{shown(name)} is no param, metric, tag or field{told}", place=term.place)


def _some(names: Names) -> str:
    found = [*sorted(names.params), *sorted(names.metrics)]
    more = f" and {len(found) - _MOST_TOLD:,} more" if len(found) > _MOST_TOLD else ""
    return f"; there are {', '.join(map(shown, found[:_MOST_TOLD]))}{more}" if found else ""

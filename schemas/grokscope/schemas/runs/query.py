"""Which runs are meant: conditions on their params, as people write them."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import polars as pl

from grokscope.schemas.errors import GrokscopeError
from grokscope.schemas.runs.description import guessed_param

_QUOTED = r"'[^']*'|\"[^\"]*\"|`[^`]*`"
_CONDITION = re.compile(
    rf"\s*(?P<name>{_QUOTED}|[^\s=!<>'\"`]+)\s*(?P<sign>==|!=|<=|>=|=|<|>|\bin\b)\s*"
    rf"(?P<value>{_QUOTED}|\([^()]*\)|\S.*?)\s*"
)
_AND = re.compile(rf"((?:{_QUOTED}|\([^()]*\)|(?!\s+and\s)[^'\"`(])+)(?:\s+and\s+|$)", re.IGNORECASE)
_LONGEST = 4000
_FORM = "conditions are NAME = VALUE, with =, !=, <, <=, >, >= or in (A, B), joined by 'and'"


class QueryError(GrokscopeError):
    """A query that cannot be read, or that names what the runs do not have."""


def named_param(name: str, params: Collection[str]) -> str:
    """Return which of ``params`` a person means by ``name``.

    That is the one with this name; else the one that means the same (``lr`` and
    ``intervention.protocol.lr``); else the only one whose last part it is.

    Raises:
        QueryError: If there is none, or more than one.

    >>> named_param("wd", ["intervention.regularization.weight_decay", "seed"])
    'intervention.regularization.weight_decay'
    """
    if name in params:
        return name
    ours = guessed_param(name)
    found = [param for param in params if ours is not None and guessed_param(param) == ours]
    found = found or [param for param in params if re.split(r"[./:]", param)[-1].lower() == name.lower()]
    if len(found) == 1:
        return found[0]
    told = ", ".join(sorted(found or params)[:20]) or "none"
    if found:
        raise QueryError(f"{name!r} may be any of {told}; give its whole name")
    raise QueryError(f"the runs have no param {name!r}; they have {told}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What one param of a run must be.

    Attributes:
        name: Of the param.
        sign: ``= != < <= > >= in``.
        values: What it is compared with; several only for ``in``.
    """

    name: str
    sign: str
    values: tuple[str, ...]

    def holds(self, runs: pl.DataFrame) -> pl.Expr:
        """Return for which rows it holds; never where the param is missing.

        Numbers are compared as numbers where both sides are; ``=``, ``!=`` and ``in`` compare texts, too.

        Raises:
            QueryError: If no column is meant by the name, or a text is to be less than another.
        """
        column = pl.col(named_param(self.name, [name for name in runs.columns if name != "run_id"]))
        number = column.cast(pl.Float64, strict=False)
        if self.sign in ("<", "<=", ">", ">="):
            limit = _number(self.values[0])
            if limit is None or math.isnan(limit):
                raise QueryError(f"{self.name} {self.sign} needs a number, got {self.values[0]!r}")
            sides = {"<": number < limit, "<=": number <= limit, ">": number > limit, ">=": number >= limit}
            return sides[self.sign].fill_null(value=False)
        numbers = [value for value in map(_number, self.values) if value is not None]
        same = column.cast(pl.String).is_in(list(self.values)) | number.is_in(numbers).fill_null(value=False)
        return (~same if self.sign == "!=" else same).fill_null(value=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Conditions that all must hold.

    >>> runs = pl.DataFrame({"run_id": ["a", "b"], "task": ["bert", "llama"], "batch": [64, 512]})
    >>> Query.parse("task = bert and batch < 100").of(runs)["run_id"].to_list()
    ['a']
    """

    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read conditions: ``lr >= 1e-3 and optimizer in (adam, muon)``.

        Values with spaces stand in quotes; a name may be written as MLflow does, ``params.lr``.

        Raises:
            QueryError: If it is no such text.
        """
        if len(text) > _LONGEST:
            raise QueryError(f"a query has at most {_LONGEST:,} characters, got {len(text):,}; shorten it")
        parts, place = list[str](), 0
        while place < len(text):
            found = _AND.match(text, place)
            if found is None or found.end() == place:
                break
            parts.append(found[1])
            place = found.end()
        if not parts or place < len(text) or text.rstrip().lower().endswith(" and"):
            raise QueryError(f"{_FORM}; got {text!r}")
        return cls(conditions=tuple(map(_condition, parts)))

    def of(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of ``runs`` (one a run, a column a param) for which all hold.

        Raises:
            QueryError: As ``Condition.holds``.
        """
        return runs.filter([condition.holds(runs) for condition in self.conditions])


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise QueryError(f"{_FORM}; got {text.strip()!r}")
    sign, value = found["sign"], found["value"]
    inner = value[1:-1].split(",") if sign == "in" and value.startswith("(") else [value]
    if sign == "in" and not value.startswith("("):
        raise QueryError(f"in needs values in brackets, in (A, B); got {text.strip()!r}")
    name = _unquoted(found["name"]).removeprefix("params.")
    return Condition(
        name=name, sign="=" if sign == "==" else sign, values=tuple(_unquoted(one.strip()) for one in inner)
    )


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"`" else text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

"""A query: read once, decided on the facts of any runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from grokscope.schemas.runs.query.conditions import Clause, Comparison, Presence, Term, conditions_in
from grokscope.schemas.runs.query.evaluation import Evaluation
from grokscope.schemas.runs.query.facts import Facts
from grokscope.schemas.runs.query.parser import Parser


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Conditions joined by ``and``, ``or``, ``not`` and brackets.

    A condition does not hold for a run that lacks what it names: ``lr != 1`` leaves out runs without ``lr``.
    ``not`` is the complement: ``not lr = 1`` keeps them.

    >>> runs = pl.DataFrame({"run_id": ["a", "b"], "task": ["bert", "llama"], "batch": [64, 512]})
    >>> Query.parse("task = bert and batch < 100").of(runs)["run_id"].to_list()
    ['a']
    >>> str(Query.parse("not(batch<100)or task~'LAM'"))
    'not batch < 100 or task ~ LAM'
    """

    clause: Clause

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a query: ``lr >= 1e-3 and (optimizer in (adam, muon) or not tag.bad)``.

        Raises:
            QueryError: If it is none: where, what stands there and what was expected.
        """
        return cls(clause=Parser(text).read())

    def __str__(self) -> str:
        """Return the query as a text that reads the same."""
        return str(self.clause)

    @property
    def terms(self) -> Sequence[Term]:
        """What it asks about, in order: to know which metrics and facts are worth reading."""
        found = conditions_in(self.clause)
        return [one.term for one in found if isinstance(one, Comparison | Presence)]

    def of(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of ``runs`` (one a run, a column a param) for which it holds.

        Raises:
            QueryError: If it names what they do not have, or compares what cannot be compared.
        """
        return runs.filter(self._holds(Facts.of_table(runs)))

    def selects(self, facts: Facts) -> list[str]:
        """Return the ids of the runs for which it holds, in the order of ``facts.runs``.

        Raises:
            QueryError: As ``of``.
        """
        return facts.runs["run_id"].filter(self._holds(facts)).to_list()

    def _holds(self, facts: Facts) -> pl.Series:
        return Evaluation(facts).holds(self.clause)

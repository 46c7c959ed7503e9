"""The params that vary among runs, as variables of a design: numbers where all their values are numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.narrowing import params_of
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas.runs.description import guessed_param
from grokscope.schemas.runs.groups import varying

MOST_NAMES = 40
"""Values of a param of text beyond which it names the runs and is no variable."""

_NOT_CHOSEN = frozenset({"seed", "group", "setting"})
_RESERVED = frozenset({"run_id", "run", "group", "reached", "low", "high", "spent", "last", "at", "budget"})
_CHOICE = "intervention."
_MADE = "compute.exposure."
"""What comes of other choices: how many examples a share of the data is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A param that varies.

    Attributes:
        param: Its name, as it was logged.
        label: Its last name, plain, and different from that of all other variables.
        values: How many different values there are.
        is_number: Whether all of them are numbers.
    """

    param: str
    label: str
    values: int
    is_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of runs.

    Attributes:
        variables: Those that vary most first; interventions before what comes of them.
        frame: ``run_id`` and a column a variable, by its label; null where a run has not logged it.
    """

    variables: Sequence[Variable]
    frame: pl.DataFrame

    @property
    def numbers(self) -> list[str]:
        """Return the labels of the variables that are numbers."""
        return [one.label for one in self.variables if one.is_number]

    @property
    def labels(self) -> list[str]:
        """Return the labels of all."""
        return [one.label for one in self.variables]

    def pair(self) -> tuple[str, str] | None:
        """Return the two that vary most and not together; ``None`` where there are no such two."""
        return self._pair(self.labels)

    def pair_of_numbers(self) -> tuple[str, str] | None:
        """Return the same of the variables that are numbers."""
        return self._pair(self.numbers)

    def _pair(self, labels: Sequence[str]) -> tuple[str, str] | None:
        for place, x in enumerate(labels):
            for y in labels[place + 1 :]:
                both = self.frame.select(x, y).drop_nulls().unique()
                if both.height > max(both[x].n_unique(), both[y].n_unique()):
                    return x, y
        return None

    def of_enough(self, least: int) -> str | None:
        """Return the first variable each of whose values, two or more, has so many runs or more."""
        for name in self.labels:
            counts = self.frame[name].drop_nulls().value_counts()["count"]
            if counts.len() > 1 and int(str(counts.min())) >= least:
                return name
        return None


def settings_of_runs(snapshot: Snapshot) -> Settings:
    """Return the variables of an experiment's runs: params that vary, but for seeds, names and secrets."""
    own = params_of(snapshot)
    return settings_of({run: own.get(run, {}) for run in snapshot.runs["run_id"]})


def settings_of(params: Mapping[str, Mapping[str, str]]) -> Settings:
    """Return the variables of some runs.

    Args:
        params: Of each run, by its id.

    >>> own = {"a": {"lr": "1", "seed": "0"}, "b": {"lr": "2", "seed": "1"}}
    >>> settings_of(own).frame.rows()
    [('a', 1.0), ('b', 2.0)]
    """
    runs = list(params)
    columns = {
        name: [own.get(name) for own in params.values()]
        for name in varying(list(params.values()))
        if guessed_param(name) not in _NOT_CHOSEN and not name.casefold().endswith("seed")
    }
    labels = _labels(list(columns))
    made = {name: _column(labels[name], values) for name, values in columns.items()}
    variables = [
        Variable(
            param=name, label=labels[name], values=column.n_unique() - (column.null_count() > 0),
            is_number=column.dtype.is_numeric(),
        )
        for name, column in made.items()
    ]  # fmt: skip
    kept = [one for one in variables if one.values > 1 and (one.is_number or one.values <= MOST_NAMES)]
    ordered = sorted(kept, key=lambda one: _rank(one, len(runs)))
    frame = pl.DataFrame({"run_id": runs}, schema={"run_id": pl.String()})
    return Settings(variables=ordered, frame=frame.with_columns(made[one.param] for one in ordered))


def unlike(settings: pl.DataFrame, of_groups: pl.DataFrame) -> list[str]:
    """Return the variables by which runs of one group differ, and in other shares than those of another.

    What such groups differ in is not told by their names alone.

    Args:
        settings: ``run_id`` and a column a variable.
        of_groups: ``run_id, group``, of the groups that are compared.

    >>> settings = pl.DataFrame({"run_id": ["a", "b", "c"], "decay": [0, 1, 1], "share": [0.5, 0.5, 0.3]})
    >>> unlike(settings, settings.select("run_id", group=pl.col("decay")))
    ['share']
    """
    runs = of_groups.select("run_id", "group").join(settings, on="run_id", maintain_order="left")
    names = [name for name in settings.columns if name != "run_id" and not _names_runs(runs[name])]
    return [name for name in names if _is_unlike([own[name] for own in runs.partition_by("group")])]


def _names_runs(values: pl.Series) -> bool:
    """Return whether a variable is one of its own in most runs, such as the folder that each writes to."""
    return values.n_unique() > max(2, values.len() // 2)


def _is_unlike(groups: Sequence[pl.Series]) -> bool:
    """Return whether values are spread otherwise in some group; a run that is missing makes no difference."""
    if all(own.n_unique() == 1 for own in groups):
        return False
    shares: list[dict[object, float]] = [
        {value: count / own.len() for value, count in own.value_counts().iter_rows()} for own in groups
    ]
    first = shares[0]
    return any(
        one.keys() != first.keys()
        or any(abs(one[value] - first[value]) > 1 / min(own.len(), groups[0].len()) for value in one)
        for one, own in zip(shares, groups, strict=True)
    )


def _rank(one: Variable, runs: int) -> tuple[bool, bool, bool, bool, int, str]:
    is_drawn = one.values > max(2, runs // 2)
    return (
        one.param.startswith(_MADE), is_drawn and not one.is_number, not one.is_number,
        not (guessed_param(one.param) or "").startswith(_CHOICE), -one.values, one.param,
    )  # fmt: skip


def _column(label: str, values: Sequence[str | None]) -> pl.Series:
    text = pl.Series(label, values, dtype=pl.String())
    numbers = text.cast(pl.Float64(), strict=False)
    if numbers.null_count() == text.null_count() and numbers.drop_nulls().is_finite().all():
        return numbers
    return pl.Series(label, [None if value is None else plain(value, limit=60) for value in values])


def _labels(params: Sequence[str]) -> Mapping[str, str]:
    """Return a short name for each param; two never share one, and none is that of a column of costs."""
    short = {name: plain(name.rpartition(".")[2] or name, limit=60) for name in params}
    taken = set[str](_RESERVED)
    labels: dict[str, str] = {}
    for name in params:
        is_shared = sum(other == short[name] for other in short.values()) > 1
        label = plain(name, limit=60) if is_shared or short[name] in taken else short[name]
        while label in taken:
            label += "_"
        taken.add(label)
        labels[name] = label
    return labels

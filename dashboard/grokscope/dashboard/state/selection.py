"""What is selected, as it stands in the page's address: runs, how they are grouped, and what is shown."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_GROUP_KEY = re.compile(r"[0-9a-f]{8}")
MOST_RUNS = 500
"""How many runs an address names at most."""
_MOST_PARAMS = 8
_LONGEST_QUERY = 1000
_NO_GROUPING = "none"
_NO_SPLIT = "The address splits charts by a param that does not tell these runs apart: left out."
MOST_EXPERIMENTS = 8
"""How many experiments are looked at together at most: each is read by itself, again and again."""
_NO_EXPERIMENT = "The address names an experiment that is not in this store: the newest one is shown."

Query = Mapping[str, str | list[str]]
"""An address's parameters; one that stands there several times has a list."""

KEYS = ("experiment", "runs", "where", "by", "split", "only", "hide", "baseline")
"""The address's parameters of a selection; those of a page's own controls stand beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Experiments, which of their runs are looked at, and how these are grouped.

    Attributes:
        experiments: Their names, mostly one; empty for the one with the newest activity.
        runs: Ids of ticked runs; empty means all.
        where: A query on runs; empty means all.
        by: Params that runs are grouped by; empty for no groups, ``None`` for those that tell runs apart.
        split: The param whose levels charts are drawn side by side for; ``None`` for one chart of all.
        only: Keys of the groups that are shown; empty means all.
        hidden: Keys of groups that are not shown.
        baseline: Key of the group that others are compared with.
        note: What of an address was left out, as a sentence without any of its text.
    """

    experiments: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    where: str = ""
    by: tuple[str, ...] | None = None
    split: str | None = None
    only: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    baseline: str | None = None
    note: str | None = None

    def query(self) -> dict[str, str | list[str]]:
        """Return the address's parameters for this selection; names hold commas, so each has its own.

        >>> Selection(experiments=("parity",), by=("lr",)).query()
        {'experiment': 'parity', 'by': 'lr'}
        >>> Selection(experiments=("parity", "x, y")).query()
        {'experiment': ['parity', 'x, y']}
        """
        names = list(self.experiments)
        values = {
            "experiment": names[0] if len(names) == 1 else names,
            "runs": ",".join(self.runs),
            "where": self.where,
            "by": None if self.by is None else ",".join(self.by) or _NO_GROUPING,
            "split": self.split,
            "only": ",".join(self.only),
            "hide": ",".join(self.hidden),
            "baseline": self.baseline,
        }
        return {name: value for name, value in values.items() if value}


def group_key(group: str) -> str:
    """Return what an address calls a group: short, stable, and without the text of its params.

    >>> group_key("weight_decay 1.0")
    '6e846c58'
    """
    return sha256(group.encode(errors="replace")).hexdigest()[:8]


def is_shown(selection: Selection, key: str) -> bool:
    """Return whether the group with this key is shown.

    >>> is_shown(Selection(hidden=("6e846c58",)), "6e846c58")
    False
    """
    return key not in selection.hidden and (not selection.only or key in selection.only)


def shown_or_hidden(selection: Selection, key: str) -> Selection:
    """Return the selection with a group shown that was hidden, or hidden that was shown.

    >>> shown_or_hidden(Selection(only=("00000000",)), "6e846c58").only
    ('00000000', '6e846c58')
    """
    if not is_shown(selection, key):
        only = (*selection.only, key) if selection.only and key not in selection.only else selection.only
        return replace(selection, only=only, hidden=_without(selection.hidden, key))
    if len(selection.only) > 1:
        return replace(selection, only=_without(selection.only, key))
    return replace(selection, hidden=(*selection.hidden, key))


def alone(selection: Selection, key: str) -> Selection:
    """Return the selection with only this group shown; with all, where it was alone already.

    >>> alone(alone(Selection(), "6e846c58"), "6e846c58") == Selection()
    True
    """
    is_alone = selection.only == (key,) and not selection.hidden
    return replace(selection, only=() if is_alone else (key,), hidden=())


def compared_with(selection: Selection, key: str) -> Selection:
    """Return the selection with this group as the baseline, or with none, where it was that already.

    >>> compared_with(Selection(), "6e846c58").baseline
    '6e846c58'
    """
    return replace(selection, baseline=None if selection.baseline == key else key)


def of_experiments(selection: Selection, names: Sequence[str]) -> Selection:
    """Return the selection for other experiments; what was chosen in one stays where one goes on.

    >>> of_experiments(Selection(experiments=("a",), where="lr > 1"), ["a", "b"]).where
    'lr > 1'
    >>> of_experiments(Selection(experiments=("a",), where="lr > 1"), ["b"]).where
    ''
    """
    if set(names).isdisjoint(selection.experiments):
        return Selection(experiments=tuple(names))
    return replace(selection, experiments=tuple(names), note=None)


def selection_from(query: Query, experiments: Collection[str]) -> Selection:
    """Return what ``query`` asks for, as far as it is well formed.

    Whether the experiment has the runs is checked by ``existing``, once they are read.

    >>> selection_from({"experiment": "parity", "uri": "http://169.254.169.254"}, ["parity"]).query()
    {'experiment': 'parity'}
    """
    asked = list(dict.fromkeys(_all(query, "experiment")))
    names = [name for name in asked if name in experiments][:MOST_EXPERIMENTS]
    if asked and not names:
        return Selection(note=_NO_EXPERIMENT if experiments else None)
    ids = _parts(_one(query, "runs"))
    runs = tuple(dict.fromkeys(i for i in ids if _RUN_ID.fullmatch(i)))[:MOST_RUNS]
    baseline, by = _one(query, "baseline"), _one(query, "by")
    return Selection(
        experiments=tuple(names),
        runs=runs,
        where=_one(query, "where")[:_LONGEST_QUERY],
        by=None if not by else () if by == _NO_GROUPING else tuple(_parts(by))[:_MOST_PARAMS],
        split=_one(query, "split")[:_LONGEST_QUERY] or None,
        only=_keys(query, "only"),
        hidden=_keys(query, "hide"),
        baseline=baseline if _GROUP_KEY.fullmatch(baseline) else None,
        note=_left_out(len(ids) - len(runs), names) or _names_left_out(len(asked) - len(names)),
    )


def existing(selection: Selection, run_ids: Collection[str]) -> Selection:
    """Return the selection without runs that the experiment does not have, saying so.

    >>> existing(Selection(runs=("a" * 32,)), []).note
    'The address names 1 run that is not in this experiment: left out.'
    """
    runs = tuple(run for run in selection.runs if run in run_ids)
    note = _left_out(len(selection.runs) - len(runs), selection.experiments) or selection.note
    return replace(selection, runs=runs, note=note)


def with_groups(selection: Selection, groups: Iterable[str]) -> Selection:
    """Return the selection without groups that there are none of any more.

    >>> with_groups(Selection(only=("00000000",), baseline="00000000"), ["lr 1"]) == Selection()
    True
    """
    known = {group_key(group) for group in groups}
    only = tuple(key for key in selection.only if key in known)
    hidden = tuple(key for key in selection.hidden if key in known)
    baseline = selection.baseline if selection.baseline in known else None
    return replace(selection, only=only, hidden=hidden, baseline=baseline)


def with_params(selection: Selection, params: Collection[str]) -> Selection:
    """Return the selection without a split by a param that there is none of, saying so.

    >>> with_params(Selection(split="lr"), ["width"]).note
    'The address splits charts by a param that does not tell these runs apart: left out.'
    """
    if selection.split is None or selection.split in params:
        return selection
    return replace(selection, split=None, note=selection.note or _NO_SPLIT)


def _one(query: Query, name: str) -> str:
    """Return what an address says under a name; of several values the last, as Streamlit takes it."""
    return next(reversed(_all(query, name)), "")


def _all(query: Query, name: str) -> list[str]:
    value = query.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def _keys(query: Query, name: str) -> tuple[str, ...]:
    keys = [key for key in _parts(_one(query, name)) if _GROUP_KEY.fullmatch(key)]
    return tuple(dict.fromkeys(keys))[:MOST_RUNS]


def _without(keys: Iterable[str], key: str) -> tuple[str, ...]:
    return tuple(one for one in keys if one != key)


def _parts(text: str) -> Sequence[str]:
    return [part for part in text.split(",") if part]


def _left_out(count: int, experiments: Sequence[str]) -> str | None:
    if count <= 0:
        return None
    which = "1 run that is" if count == 1 else f"{count} runs that are"
    where = "these experiments" if len(experiments) > 1 else "this experiment"
    return f"The address names {which} not in {where}: left out."


def _names_left_out(count: int) -> str | None:
    if count <= 0:
        return None
    which = "1 experiment that is" if count == 1 else f"{count} experiments that are"
    return f"The address names {which} not in this store, or more than {MOST_EXPERIMENTS}: left out."

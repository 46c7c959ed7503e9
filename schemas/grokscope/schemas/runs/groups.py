"""Which runs are compared with which: the groups of runs that differ in their seed only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grokscope.schemas.runs.ordering import natural
from grokscope.schemas.secrets import is_secret

_GROUP = "group"
UNGROUPED = f"no {_GROUP}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What runs are compared by.

    Attributes:
        name: Of a setting that seeds share, or of what its runs lack.
        lacks: Why it is no setting to compare: it has none of what tells the others apart; else ``None``.
    """

    name: str
    lacks: str | None = None


def groups_of(params: Sequence[Mapping[str, str]]) -> list[Group]:
    """Return each run's group: the one that it names, else what distinguishes its params from the others'.

    A seed distinguishes nothing, and neither does a secret, nor what no two runs share: a folder, an address.
    Where that leaves most runs alone, or nothing, they are in no group. A run without a param that the others
    are told apart by is no setting of it. Params come from ``params_on_axes``.

    >>> runs = [{"lr": lr, "seed": seed, "out": lr + seed} for lr in ("0.1", "1") for seed in "01"]
    >>> [group.name for group in groups_of([*runs, {"seed": "2"}])]
    ['lr 0.1', 'lr 0.1', 'lr 1', 'lr 1', 'no lr']
    """
    named = [run.get(_GROUP, "") for run in params]
    unnamed = [run for run, name in zip(params, named, strict=True) if not name]
    keys = _choices(unnamed)
    made = [_made(run, keys) for run in unnamed]
    settings = [group for group in made if group.lacks is None]
    if not keys or 2 * len(set(settings)) > len(settings) or not settings:
        made = [Group(name=UNGROUPED, lacks=_GROUP)] * len(unnamed)
    rest = iter(made)
    return [Group(name=name) if name else next(rest) for name in named]


def groups_by(params: Sequence[Mapping[str, str]], keys: Sequence[str]) -> list[Group]:
    """Return each run's group by the params that a person chose; no keys put all runs into no group.

    >>> [group.name for group in groups_by([{"lr": "0.1"}, {"lr": "1", "wd": "0"}], ["lr", "wd"])]
    ['no wd', 'lr 1, wd 0']
    """
    if not keys:
        return [Group(name=UNGROUPED, lacks=_GROUP)] * len(params)
    return [_made(run, keys) for run in params]


def varying(params: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the params that have several values among the runs, in the order of their names; no secrets.

    >>> varying([{"lr": "0.1", "seed": "0", "width": "8"}, {"lr": "1", "seed": "1", "width": "8"}])
    ['lr', 'seed']
    """
    values: dict[str, set[str]] = {}
    hidden: set[str] = set()
    for run in params:
        for key, value in run.items():
            values.setdefault(key, set()).add(value)
            if is_secret(key, value):
                hidden.add(key)
    return natural(key for key, found in values.items() if len(found) > 1 and key not in hidden)


def _choices(runs: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the params that tell runs apart; those that few runs have only where there are no others."""
    found = [key for key in natural(key for run in runs for key in run) if _is_choice(key, runs)]
    common = [key for key in found if 2 * sum(bool(run.get(key)) for run in runs) >= len(runs)]
    return common or found


def _made(run: Mapping[str, str], keys: Sequence[str]) -> Group:
    missing = ", ".join(_last(key) for key in keys if not run.get(key))
    if missing:
        return Group(name=f"no {missing}", lacks=missing)
    return Group(name=", ".join(f"{_last(key)} {run[key]}" for key in keys))


def _is_choice(key: str, runs: Sequence[Mapping[str, str]]) -> bool:
    values = [value for run in runs if (value := run.get(key))]
    return (
        not any(is_secret(key, value) for value in values)
        and not _last(key).casefold().endswith("seed")
        and 1 < len(set(values)) <= len(values) / 2
    )


def _last(key: str) -> str:
    return key.rpartition(".")[2].rpartition("/")[2]

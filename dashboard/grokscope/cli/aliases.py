"""``--alias NAME=KEY``: what a metric is to be taken for."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from grokscope.schemas import GrokscopeError
from grokscope.store import Store, checked_role

Alias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=KEY[:up|:down]",
        help="Take the metric NAME for our KEY, such as probe_acc=test/accuracy; NAME=- leaves it out. "
        "Any score may be a KEY, with the way that is better behind it: energy=test/energy:down. "
        "Repeat it for several. With detect --write it is kept for the experiment.",
        show_default=False,
    ),
]


class AliasError(GrokscopeError):
    """An alias that is not of the form NAME=KEY."""


def aliases_in(options: Sequence[str] | None) -> dict[str, str]:
    """Return the aliases given on the command line: name -> our key.

    Raises:
        AliasError: If one is not of the form.
        UnknownMetricError: If a key is not ours.

    >>> aliases_in(["probe=acc=test/accuracy", "aux=-", "gain=test/score:up", "energy=test/energy:down"])
    {'probe=acc': 'test/accuracy', 'aux': '-', 'gain': 'test/score', 'energy': 'test/energy:down'}
    """
    found = dict[str, str]()
    for option in options or ():
        name, _, key = option.rpartition("=")
        if not name or not key:
            raise AliasError(f"--alias takes NAME=KEY, got {option!r}; for instance probe_acc=test/accuracy")
        found[name] = checked_role(key)
    return found


def keep_aliases(store: Store, experiment: str, aliases: Mapping[str, str]) -> None:
    """Keep aliases for an experiment, for all who read the store."""
    for name, key in aliases.items():
        store.set_alias(experiment, name=name, canonical=key)

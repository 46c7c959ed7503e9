"""``--alias NAME=KEY``: what a metric is to be taken for."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from grokscope.schemas import GrokscopeError
from grokscope.store import Store, check_canonical

Alias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=KEY",
        help="Take the metric NAME for our KEY, such as probe_acc=test/accuracy; NAME=- leaves it out. "
        "Repeat it for several. With --write it is kept for the experiment.",
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

    >>> aliases_in(["probe=acc=test/accuracy", "aux=-"])
    {'probe=acc': 'test/accuracy', 'aux': '-'}
    """
    found = dict[str, str]()
    for option in options or ():
        name, _, key = option.rpartition("=")
        if not name or not key:
            raise AliasError(f"--alias takes NAME=KEY, got {option!r}; for instance probe_acc=test/accuracy")
        check_canonical(key)
        found[name] = key
    return found


def keep_aliases(store: Store, experiment: str, aliases: Mapping[str, str]) -> None:
    """Keep aliases for an experiment, for all who read the store."""
    for name, key in aliases.items():
        store.set_alias(experiment, name=name, canonical=key)

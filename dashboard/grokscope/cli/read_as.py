"""What other people's metrics were read as, where that is a guess: said under a table of verdicts."""

from collections.abc import Collection, Iterable

from grokscope.cli.terminal import shown
from grokscope.schemas import Reading, Sureness, readings, resolve

_MOST = 8


def read_as(names: Iterable[str], aliases: Collection[str] = ()) -> list[str]:
    """Return a line for each metric that was read by a guess, and for each that may be a curve but was not.

    What a name says plainly, and what a person gave, is not repeated.

    Args:
        names: As logged together.
        aliases: Names that a person gave a role.

    >>> for line in read_as(["train_acc", "ood_acc", "f1"]):
    ...     print(line)
    read as: ood_acc is shift:ood/accuracy; 'ood' tells the set by convention
    not read: f1 may be train/f1; it names no split; what is bare is most often of training
    """
    known = {name: one for name, one in readings(names).items() if name not in aliases}
    keys = resolve(known)
    likely = [one for one in known.values() if one.sureness is Sureness.LIKELY and keys[one.name] == one.key]
    unsure = [one for one in known.values() if one.sureness is Sureness.UNSURE and one.key is not None]
    return [*_listed(likely, "read as", "is"), *_listed(unsure, "not read", "may be")]


def _listed(found: list[Reading], title: str, verb: str) -> list[str]:
    ordered = sorted(found, key=lambda one: one.name)
    lines = [
        f"{title}: {shown(one.name)} {verb} {shown(str(one.key))}; {shown(_said(one.because))}"
        for one in ordered[:_MOST]
    ]
    more = len(found) - _MOST
    return [*lines, f"{title}: and {more} more"] if more > 0 else lines


def _said(sentence: str) -> str:
    """Return a sentence as it goes on behind a semicolon."""
    return (sentence[:1].lower() + sentence[1:]).removesuffix(".")

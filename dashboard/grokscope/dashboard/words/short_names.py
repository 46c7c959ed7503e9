"""Names of a sweep, short enough for a narrow place, where they can still be told apart."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d]{4,}")


def short_names(names: Sequence[str], *, most: int) -> list[str]:
    """Return names in whose words, as far as all of them have these, only the first letters are left.

    What the names differ in stays whole. Names that are short, or share no word, stay as they are.

    Args:
        names: Any names; a name given twice is shortened alike.
        most: Letters that there is room for; names may stay longer.

    >>> short_names(["weight_decay=0.3, lr=1", "weight_decay=1.0, lr=1"], most=16)
    ['weigh…=0.3, lr=1', 'weigh…=1.0, lr=1']
    >>> short_names(["adam", "a muon that has a long name"], most=8)
    ['adam', 'a muon that has a long name']
    """
    words = [set[str](_WORD.findall(name)) for name in set(names)]
    shared = set[str].intersection(*words) if len(words) > 1 else set[str]()
    found = list(names)
    for kept in range(max(map(len, shared), default=0) - 2, 0, -1):
        if max(map(len, found)) <= most:
            break
        if len({word[:kept] for word in shared}) < len(shared):
            break
        found = [_cut(name, shared, kept) for name in names]
    return found


def _cut(name: str, shared: set[str], kept: int) -> str:
    def short(match: re.Match[str]) -> str:
        word = match[0]
        return f"{word[:kept]}…" if word in shared and len(word) > kept + 1 else word

    return _WORD.sub(short, name)

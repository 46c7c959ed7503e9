r"""Names in sentences: written by other people and programs, so they are set apart from our words as data.

Inside a sentence a name stands between two marks that no name can hold. Text and JSON show them as quotes,
Markdown as code.
"""

import re

from grokscope.schemas.printable import written_out
from grokscope.schemas.secrets import redacted

_OPEN, _CLOSE = "\ue000", "\ue001"
_NAME_BYTES = 80
_SENTENCE_BYTES = 320
_HEAD = 4096
_PARTS = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~$&@])")
_ADDRESS = re.compile(r"https?(?=:)|ftp(?=:)|www(?=\.)", re.IGNORECASE)
_QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"
"""Stands in a name for the quote that would end it."""


def cut(text: str, size: int) -> str:
    """Return ``text`` in at most ``size`` bytes of UTF-8; what is cut ends with an ellipsis.

    >>> cut("abcdef", 6), cut("abcdefg", 6), cut("学学学", 7)
    ('abcdef', 'abc…', '学…')
    """
    raw = text.encode(errors="replace")
    if len(raw) <= size:
        return raw.decode()
    return raw[: size - len("…".encode())].decode(errors="ignore") + "…"


def shown(text: str, *, size: int = _NAME_BYTES) -> str:
    r"""Return a name on one line: control and direction marks written out, secrets withheld, cut.

    >>> shown("a\x1b[31m\u202eb"), len(shown("x" * 10_000).encode())
    ('a\\x1b[31m\\u202eb', 80)
    """
    return cut(written_out(redacted(text[:_HEAD])), size)


def named(text: str) -> str:
    """Return a name as it stands in a sentence of ours.

    >>> plain(f"Run {named('seed 0')} has ended.")
    "Run 'seed 0' has ended."
    """
    return f"{_OPEN}{shown(text)}{_CLOSE}"


def bare(name: str) -> str:
    """Return a name as it stood in a sentence, without what sets it apart there.

    >>> bare(named("wd 1"))
    'wd 1'
    """
    return name.replace(_OPEN, "").replace(_CLOSE, "")


def quoted(text: str) -> str:
    """Return a name in quotes, as errors have it.

    >>> quoted("a")
    "'a'"
    """
    return _in_quotes(shown(text))


def told(sentence: str) -> str:
    """Return a sentence that another room wrote, with names in it as they were logged, as data of a line."""
    return shown(sentence, size=_SENTENCE_BYTES)


def plain(sentence: str) -> str:
    """Return a sentence as text, its names in quotes."""
    return _PARTS.sub(
        lambda part: "'" + part[1].replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") + "'", sentence
    )


def marked_down(sentence: str) -> str:
    r"""Return a sentence as Markdown: its names as code, nothing in it a link, an image or markup.

    >>> marked_down(f"Run {named('![x](http://a.b) `c`')} has *ended*.")
    "Run `![x](http://a.b) 'c'` has \\*ended\\*."
    """
    parts = _PARTS.split(sentence)
    return "".join(
        "`" + (part.replace("`", "'") or " ") + "`" if place % 2 else _escaped(part)
        for place, part in enumerate(parts)
    )


def _in_quotes(name: str) -> str:
    return f"'{name.replace(chr(39), _QUOTE)}'"


def _escaped(words: str) -> str:
    # Where a colon or a dot is escaped, no renderer finds an address to make a link of.
    return _ADDRESS.sub(r"\g<0>\\", _SPECIAL.sub(r"\\\1", words))

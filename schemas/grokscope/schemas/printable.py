r"""Text that no terminal obeys: control characters, marks of direction and the like are written out."""

from unicodedata import category


def written_out(text: str) -> str:
    r"""Return ``text`` with what does not print written out, as in the errors that quote a name.

    >>> written_out("a\x1b[31m\u202e\n"), written_out("é 学 👍")
    ('a\\x1b[31m\\u202e\\n', 'é 学 👍')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if category(c) == "Zs" else repr(c)[1:-1] for c in text)

"""The words, signs and quoted texts of a query, in one pass over its characters."""

from dataclasses import dataclass
from enum import StrEnum

from grokscope.schemas.runs.query.errors import QueryError

SIGNS = ("==", "!=", "<=", ">=", "=", "<", ">", "~")
"""The longer ones first, as they are read."""

KEYWORDS = ("and", "or", "not", "in")
_QUOTES = "'\"`"
_APART = "()=<>~,"
"""Characters that end a word wherever they stand."""


class Form(StrEnum):
    """What a token is."""

    WORD = "word"
    TEXT = "quoted text"
    NAME = "name in backticks"
    SIGN = "sign"
    MARK = "bracket or comma"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A part of a query.

    Attributes:
        form: What it is.
        text: What it says, without its quotes.
        start, end: It is ``query[start:end]``.
        is_open: A quoted text whose closing quote is missing.
    """

    form: Form
    text: str
    start: int
    end: int
    is_open: bool = False

    def is_word(self, *words: str) -> bool:
        """Say whether it is one of these words, in capitals or not; a quoted text never is."""
        return self.form is Form.WORD and self.text.lower() in words

    def is_mark(self, mark: str) -> bool:
        """Say whether it is this bracket or comma."""
        return self.form is Form.MARK and self.text == mark


def tokens_of(text: str, *, is_unfinished: bool = False) -> list[Token]:
    """Return the tokens of a query; the last one is its end. Time is linear in the text's length.

    A quote within quotes is written twice: ``'it''s'``.

    Args:
        text: The query.
        is_unfinished: Somebody still types: a missing closing quote is no error.

    Raises:
        QueryError: If a quote is not closed, or half a character stands there.

    >>> [token.text for token in tokens_of("lr>=1e-3 and `my param` = 'a b'")]
    ['lr', '>=', '1e-3', 'and', 'my param', '=', 'a b', '']
    """
    found, at = list[Token](), 0
    _check_characters(text)
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token(text, at)
        if token.is_open and not is_unfinished:
            raise QueryError(f"the quote {text[at]} is not closed; close it", place=at)
        found.append(token)
        at = token.end
    return [*found, Token(form=Form.END, text="", start=at, end=at)]


def is_plain(text: str) -> bool:
    """Say whether a text is read as one word without quotes.

    >>> [is_plain(text) for text in ("test/accuracy", "a b", "And", "a=b", "")]
    [True, False, False, False, False]
    """
    if not text or text[0] in _QUOTES or text.lower() in KEYWORDS or "," in text:
        return False
    return _word_end(text, 0) == len(text) and not text.startswith("!=")


def quoted(text: str, quote: str = "'") -> str:
    """Return a text in quotes, as ``tokens_of`` reads it.

    >>> quoted("it's")
    "'it''s'"
    """
    return f"{quote}{text.replace(quote, quote * 2)}{quote}"


def _check_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("what stands here is no character; remove it", place=error.start) from None


def _token(text: str, at: int) -> Token:
    first = text[at]
    if first in _QUOTES:
        return _quoted_token(text, at)
    if first in "(),":
        return Token(form=Form.MARK, text=first, start=at, end=at + 1)
    for sign in SIGNS:
        if text.startswith(sign, at):
            return Token(form=Form.SIGN, text=sign, start=at, end=at + len(sign))
    end = _word_end(text, at)
    return Token(form=Form.WORD, text=text[at:end], start=at, end=end)


def _quoted_token(text: str, start: int) -> Token:
    quote, parts, at = text[start], list[str](), start + 1
    while True:
        end = text.find(quote, at)
        is_open = end < 0
        parts.append(text[at:] if is_open else text[at:end])
        if is_open or not text.startswith(quote, end + 1):
            break
        parts.append(quote)
        at = end + 2
    return Token(
        form=Form.NAME if quote == "`" else Form.TEXT,
        text="".join(parts),
        start=start,
        end=len(text) if is_open else end + 1,
        is_open=is_open,
    )


def _word_end(text: str, at: int) -> int:
    end = at
    while end < len(text):
        if text[end].isspace() or text[end] in _APART or text.startswith("!=", end):
            break
        end += 1
    return end

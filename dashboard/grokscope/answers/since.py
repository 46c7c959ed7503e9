"""Since when: how people write a time that lies back."""

import re
from datetime import UTC, datetime

from grokscope.answers.errors import QuestionError
from grokscope.answers.record.names import quoted

_AGO = re.compile(r"(?P<count>\d{1,6})(?P<unit>[mhdw])")
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def since_ms(text: str, *, now_ms: int) -> int:
    """Return the Unix time in ms that is meant: so long ago, or a date of ISO 8601, in UTC unless it says.

    Raises:
        QuestionError: If it is neither, or lies ahead.

    >>> since_ms("12h", now_ms=50_000_000), since_ms("1970-01-01T00:01", now_ms=50_000_000)
    (6800000, 60000)
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return max(0, now_ms - int(ago["count"]) * _UNIT_MS[ago["unit"]])
    try:
        moment = datetime.fromisoformat(text.strip())
        found = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise QuestionError(
            f"a time is 30m, 12h, 1d or 2w ago, or a date such as 2026-03-01 or 2026-03-01T12:00, "
            f"got {quoted(text)}"
        ) from None
    if found > now_ms:
        raise QuestionError(f"{quoted(text)} lies ahead; give a time that has been")
    return max(0, found)


def said_time(time_ms: int) -> str:
    """Return a Unix time in ms as people read it, in UTC.

    >>> said_time(60_000)
    '1970-01-01 00:01 UTC'
    """
    return f"{datetime.fromtimestamp(time_ms / 1000, tz=UTC):%Y-%m-%d %H:%M} UTC"

"""Moments and spans as people write them."""

from datetime import UTC, datetime

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DATE = len("2026-11-28")
_PRECISION_MS = {_DATE: 86_400_000, len("2026-11-28T13"): 3_600_000, len("2026-11-28T13:05"): 60_000}
_LONGEST = 40

SPANS = "30s, 30m, 2h, 1d or 1w"
MOMENTS = "a date such as 2026-11-28 or 2026-11-28T13:05 (UTC), or how long ago it was: 30m, 2h, 1d or 1w"


def span_ms(text: str) -> float | None:
    """Return how many ms a span has, or ``None`` if the text is none.

    >>> span_ms("1.5h"), span_ms("2"), span_ms("-1d")
    (5400000.0, None, None)
    """
    unit = _UNITS_MS.get(text[-1:].lower())
    count = text[:-1]
    if (
        unit is None
        or len(text) > _LONGEST
        or not count.replace(".", "", 1).isdecimal()
        or not count.isascii()
    ):
        return None
    return float(count) * unit


def moment_ms(text: str) -> tuple[int, int] | None:
    """Return when a date begins and when it is over, Unix times in ms, or ``None`` if the text is none.

    A day lasts a day, ``13:05`` a minute, ``13:05:07`` a second; without a zone it is UTC.

    >>> moment_ms("1970-01-02"), moment_ms("1970-01-01T00:01"), moment_ms("20260101")
    ((86400000, 172800000), (60000, 120000), None)
    """
    if text[4:5] != "-" or not _DATE <= len(text) <= _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
        begin = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    written = text.removesuffix("Z").partition("+")[0]
    zone = written.rfind("-")
    written = written[:zone] if zone >= _DATE else written
    return begin, begin + _PRECISION_MS.get(len(written), 1_000)

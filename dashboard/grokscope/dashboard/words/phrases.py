"""Numbers and dates in words. Every text is ours: nothing untrusted passes here."""

import math
from datetime import UTC, datetime

from grokscope.schemas import Date

_HALF_DAY_MS = 12 * 3600 * 1000


def steps(value: float | None) -> str:
    """Return a count of steps.

    >>> steps(12500), steps(None)
    ('12,500', '–')
    """
    return "–" if value is None else f"{value:,.0f}"


def steps_in_short(value: float) -> str:
    """Return a count of steps in three digits where it has more than four.

    >>> steps_in_short(9_999), steps_in_short(12_345), steps_in_short(1_234_567), steps_in_short(999_999)
    ('9,999', '12.3k', '1.23M', '1M')
    """
    if value < _IN_FULL:
        return steps(value)
    exponent = math.floor(math.log10(value))
    rounded = round(value, 2 - exponent)
    prefix, factor = next(pair for pair in _PREFIXES if rounded >= pair[1])
    return f"{_rounded(rounded / factor)}{prefix}"


def dated(date: Date | None) -> str:
    """Return a date with its 95 % interval.

    >>> dated(Date(step=550, low=525, high=575))
    '550 [525, 575]'
    """
    return "–" if date is None else f"{steps(date.step)} {interval(date)}"


def interval(date: Date | None) -> str:
    """Return a date's 95 % interval."""
    return "–" if date is None else f"[{steps(date.low)}, {steps(date.high)}]"


def percent(value: float | None) -> str:
    """Return a share; close to the ends with a decimal, so that nothing but 1 is called 100 %.

    >>> percent(0.5), percent(0.996), percent(0.99999), percent(1.0), percent(None)
    ('50 %', '99.6 %', '99.9 %', '100 %', '–')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    fine = 0 < value < 0.1 or 0.99 < value < 1  # noqa: PLR2004 - the ends of the scale
    return f"{min(value * 100, 99.9) if value < 1 else value * 100:.1f} %" if fine else f"{value * 100:.0f} %"


def times(ratio: float | None) -> str:
    """Return a ratio: ``9.7×``."""
    return "–" if ratio is None else f"{ratio:.1f}×"


_PREFIXES = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_IN_FULL = 10_000
_JOINED = frozenset({"FLOP"})


def amount(value: float, symbol: str) -> str:
    """Return how much of something: small counts in full, others with three significant digits.

    >>> amount(1.624e12, "FLOP"), amount(1640, "steps"), amount(1_250_000, "tokens"), amount(81.26, "s")
    ('1.62 TFLOP', '1,640 steps', '1.25 M tokens', '81.3 s')
    """
    if symbol == "s" and value >= _IN_FULL:
        return f"{_rounded(value / 3600)} h"
    prefix, factor = next((pair for pair in _PREFIXES if value >= max(pair[1], _IN_FULL)), ("", 1.0))
    joint = "" if prefix and symbol in _JOINED else " "
    return f"{_rounded(value / factor)} {prefix}{joint}{symbol}".replace("  ", " ")


def amount_range(low: float, high: float, symbol: str) -> str:
    """Return from how much to how much; one unit for both, where it is the same.

    >>> amount_range(39.6e9, 52.8e9, "FLOP"), amount_range(900, 12_000, "steps")
    ('39.6 – 52.8 GFLOP', '900 steps – 12 k steps')
    """
    low_text, high_text = amount(low, symbol), amount(high, symbol)
    number, _, unit = low_text.partition(" ")
    is_same = high_text.partition(" ")[2] == unit
    return f"{number if is_same else low_text} – {high_text}"


def _rounded(value: float) -> str:
    """Return three significant digits, and all of those before the point.

    >>> _rounded(1640.2), _rounded(999.7), _rounded(0.0812), _rounded(0.0)
    ('1,640', '1,000', '0.0812', '0')
    """
    places = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(count: int, what: str) -> str:
    """Return a count of things.

    >>> counted(1, "run"), counted(1200, "run")
    ('1 run', '1,200 runs')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def clock(time_ms: int | None, *, now_ms: int) -> str:
    """Return a time of day on this machine's clock, with the date where it was long ago."""
    if time_ms is None:
        return "–"
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone()
    long_ago = now_ms - time_ms > _HALF_DAY_MS
    return local.strftime("%Y-%m-%d %H:%M" if long_ago else "%H:%M")


def cut(shown: int, total: int, what: str, *, rest: str) -> str | None:
    """Return that not all is shown, and how to see the rest; ``None`` if all is.

    >>> cut(60, 200, "runs", rest="Select runs on the page Runs to see others."), cut(3, 3, "runs", rest="")
    ('60 of 200 runs are shown. Select runs on the page Runs to see others.', None)
    """
    return f"{shown:,} of {total:,} {what} are shown. {rest}" if shown < total else None


def number(value: float | None) -> str:
    """Return a value with three significant digits.

    >>> number(0.123456), number(None)
    ('0.123', '–')
    """
    return "–" if value is None else f"{value:.3g}"


def level(value: float | None) -> str:
    """Return a level of a curve with three significant digits; nothing below 1 is called 1.

    >>> level(0.88571), level(0.99987), level(1.0), level(1234.5), level(1.26e33), level(None)
    ('0.886', '0.9998', '1', '1,234', '1.26e+33', '–')
    """
    if value is None:
        return "–"
    if 0.9995 <= value < 1:  # noqa: PLR2004 - what three digits round to 1
        return f"{math.floor(value * 10_000) / 10_000:.4f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else number(value)  # noqa: PLR2004 - no powers of ten

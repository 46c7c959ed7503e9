"""Numbers and dates in words. Every text is ours: nothing untrusted passes here."""

import math
from datetime import UTC, datetime

from grokscope.interventions.amounts import IN_FULL, amount
from grokscope.schemas import Date

_HALF_DAY_MS = 12 * 3600 * 1000
_MOST_STEPS = 2**63
"""What MLflow keeps; beyond are amounts, whose digits nobody reads."""


def steps(value: float | None) -> str:
    """Return a count of steps.

    >>> steps(12500), steps(None)
    ('12,500', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) <= _MOST_STEPS else f"{value:.3g}"


def steps_in_short(value: float) -> str:
    """Return a count of steps in three digits where it has more than four.

    >>> steps_in_short(9_999), steps_in_short(12_345), steps_in_short(1_234_567), steps_in_short(999_999)
    ('9,999', '12.3k', '1.23M', '1M')
    """
    if value < IN_FULL:
        return steps(value)
    exponent = math.floor(math.log10(value))
    return amount(round(value, 2 - exponent)).replace(" ", "")


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


_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def duration(seconds: float) -> str:
    """Return a time that has passed or is left, as people say it.

    >>> duration(4.2), duration(190), duration(7_500), duration(200_000)
    ('4 s', '3 min', '2 h 5 min', '2 d 7 h')
    """
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    large, unit, small, part = (
        (_HOUR_S, "h", _MINUTE_S, "min") if seconds < _DAY_S else (_DAY_S, "d", _HOUR_S, "h")
    )
    whole, rest = divmod(seconds, large)
    parts = [f"{whole:.0f} {unit}", f"{rest // small:.0f} {part}" if rest >= small else ""]
    return " ".join(filter(None, parts))


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

"""How much of something, as people read it: in thousands, millions and so on of its unit, in three digits."""

import math

_PREFIXES = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
IN_FULL = 10_000
"""Up to which an amount is written out."""
_LEAST, _MOST = 1e-9, 1e15
"""Between which all digits before the point, and the zeros after it, are written."""
_JOINED = frozenset({"FLOP"})
_SYMBOLS = {"flops": "FLOP", "seconds": "s"}
"""What units of costs are called after a number, where that is not their name."""


def amount(value: float, symbol: str = "") -> str:
    """Return how much of something: small counts in full, others with three significant digits.

    Args:
        value: How much.
        symbol: Of the unit, or its name; none for a ratio.

    >>> amount(1.624e12, "flops"), amount(1640, "steps"), amount(1_250_000, "tokens"), amount(81.26, "s")
    ('1.62 TFLOP', '1,640 steps', '1.25 M tokens', '81.3 s')
    """
    factor, unit = scale(value, symbol)
    return f"{rounded(value / factor)} {unit}".strip()


def scale(value: float, symbol: str) -> tuple[float, str]:
    """Return what to divide amounts as large as ``value`` by, and the unit that they then have.

    >>> scale(1.624e12, "FLOP"), scale(1640, "steps"), scale(1_250_000, "tokens"), scale(20_000, "s")
    ((1000000000000.0, 'TFLOP'), (1.0, 'steps'), (1000000.0, 'M tokens'), (3600.0, 'h'))
    """
    symbol = _SYMBOLS.get(symbol, symbol)
    if symbol == "s" and value >= IN_FULL:
        return 3600.0, "h"
    prefix, factor = next((pair for pair in _PREFIXES if value >= max(pair[1], IN_FULL)), ("", 1.0))
    return factor, f"{prefix}{'' if symbol in _JOINED else ' '}{symbol}".strip()


def amount_range(low: float, high: float, symbol: str) -> str:
    """Return from how much to how much; one unit for both, where it is the same.

    >>> amount_range(39.6e9, 52.8e9, "FLOP"), amount_range(900, 12_000, "steps")
    ('39.6 – 52.8 GFLOP', '900 steps – 12 k steps')
    """
    low_text, high_text = amount(low, symbol), amount(high, symbol)
    number, _, unit = low_text.partition(" ")
    is_same = high_text.partition(" ")[2] == unit
    return f"{number if is_same else low_text} – {high_text}"


def rounded(value: float) -> str:
    """Return three significant digits, and all of those before the point; else a power of ten.

    >>> rounded(1640.2), rounded(999.7), rounded(0.0812), rounded(0.0), rounded(-0.25), rounded(2e307)
    ('1,640', '1,000', '0.0812', '0', '-0.25', '2e+307')
    """
    if value < 0:
        return f"-{rounded(-value)}"
    if not (value == 0 or _LEAST <= value < _MOST):
        return f"{value:.3g}"
    places = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    text = f"{abs(value):,.{places}f}"  # of -0.0, too
    return text.rstrip("0").rstrip(".") if "." in text else text

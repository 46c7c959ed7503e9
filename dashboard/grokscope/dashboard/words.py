"""Numbers, dates and verdicts in words. Every text is ours: nothing untrusted passes here."""

from datetime import UTC, datetime

from grokscope.schemas import Date, Delay, Pattern, Verdict

_HALF_DAY_MS = 12 * 3600 * 1000

PATTERN_WORDS = {
    Pattern.GROKKING: "Grokking",
    Pattern.COMPREHENSION: "Comprehension",
    Pattern.MEMORIZATION: "Memorization",
    Pattern.CONFUSION: "Confusion",
    Pattern.COLLAPSE: "Collapse",
    Pattern.OTHER: "Not judged",
}


def steps(value: float | None) -> str:
    """Return a count of steps.

    >>> steps(12500), steps(None)
    ('12,500', '–')
    """
    return "–" if value is None else f"{value:,.0f}"


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


def sentence(verdict: Verdict) -> str:
    """Return what a run did, as one or two sentences.

    >>> sentence(Verdict(run="a", pattern=Pattern.CONFUSION))
    'Neither set was learned: train and test accuracy stayed low.'
    """
    match verdict.pattern:
        case Pattern.GROKKING:
            return f"{_memorized(verdict)} {_generalized(verdict)}{_delay(verdict.delay)}"
        case Pattern.COMPREHENSION:
            return f"Train and test accuracy rose together. {_generalized(verdict)}".rstrip()
        case Pattern.MEMORIZATION:
            return f"{_memorized(verdict)} It has not generalized so far."
        case Pattern.CONFUSION:
            return "Neither set was learned: train and test accuracy stayed low."
        case Pattern.COLLAPSE:
            return f"{_memorized(verdict)} {_generalized(verdict)} Then accuracy was lost again.".strip()
        case Pattern.OTHER:
            return " ".join(verdict.missing) or "There is not enough in the log to judge this run."


def _memorized(verdict: Verdict) -> str:
    return f"Memorized the training set by step {dated(verdict.memorized)}." if verdict.memorized else ""


def _generalized(verdict: Verdict) -> str:
    if verdict.onset is None:
        return "It has not started to generalize." if verdict.generalized is None else ""
    began = f"It began to generalize at step {dated(verdict.onset)}"
    if verdict.generalized is None:
        return f"{began} and is still rising."
    return f"{began} and had generalized by step {dated(verdict.generalized)}."


def _delay(delay: Delay | None) -> str:
    if delay is None:
        return ""
    ratio = f", {times(delay.ratio)} the time to memorize" if delay.ratio is not None else ""
    return f" Half-way up, it lagged memorization by {steps(delay.steps)} steps{ratio}."

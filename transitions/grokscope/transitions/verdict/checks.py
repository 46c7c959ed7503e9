"""How a check's finding is worded: whether it passes, fails or cannot be told, and what was seen."""


def passed(seen: str) -> str:
    """Return a finding in favour."""
    return f"pass: {seen}"


def failed(seen: str) -> str:
    """Return a finding against."""
    return f"fail: {seen}"


def unknown(reason: str) -> str:
    """Return that nothing can be said, and why."""
    return f"unknown: {reason}"

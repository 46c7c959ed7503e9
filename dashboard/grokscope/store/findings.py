"""What is found when a store, or a machine, is looked at: how each thing is, and what would help."""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Health(StrEnum):
    """How a thing is; the worst of all is the command's exit status (0, 1, 2)."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        health: How it is.
        says: What was found.
        remedy: What would help; empty where nothing has to.
    """

    subject: str
    health: Health
    says: str
    remedy: str = ""


def size_finding(experiments: pl.DataFrame, *, more: str = "", remedy: str = "") -> Finding:
    """Return how much is in a store.

    Args:
        experiments: As ``Store.experiments`` gives them.
        more: What else is known of its size.
        remedy: What would help if it is too large; empty if it is not.
    """
    says = f"{experiments.height:,} experiments, {experiments['runs'].sum():,} runs{more}"
    return Finding(subject="size", health=Health.WARN if remedy else Health.OK, says=says, remedy=remedy)


def shown_bytes(size: int) -> str:
    """Return a size for people.

    >>> shown_bytes(512), shown_bytes(3 << 20)
    ('512 B', '3.0 MiB')
    """
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":  # noqa: PLR2004 - what the units say
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TiB"

"""What the steps of an imported run count, as far as the import has told it."""

import polars as pl

from grokscope.schemas.tags import IMPORT_NOTES

IN_THOUSANDTHS = "its steps are fractions; they are counted in thousandths"
"""What is said of a run whose steps were counted so."""


def runs_in_thousandths(tags: pl.DataFrame) -> frozenset[str]:
    """Return the runs whose steps are thousandths of those in their logs, which are fractions.

    Args:
        tags: ``run_id, key, value``.

    >>> notes = ["steps are epoch; its steps are fractions; they are counted in thousandths", "cut short"]
    >>> tags = pl.DataFrame({"run_id": ["a", "b"], "key": "grokscope.import.notes", "value": notes})
    >>> runs_in_thousandths(tags)
    frozenset({'a'})
    """
    says_so = (pl.col("key") == IMPORT_NOTES) & pl.col("value").str.contains(IN_THOUSANDTHS, literal=True)
    return frozenset(tags.filter(says_so)["run_id"].to_list())

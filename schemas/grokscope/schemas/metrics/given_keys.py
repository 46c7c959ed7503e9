"""Keys that a person gives a metric, which may say which way is better: ``test/energy:down``."""

import difflib
import re

from grokscope.schemas.errors import UnknownMetricError
from grokscope.schemas.metrics.scores import SCORES, score_of, split_direction
from grokscope.schemas.metrics.table import SPLITS, find_metric, is_split, spelled_out

_QUANTITY = re.compile(r"\w[\w.\-]*")


def given_key(key: str) -> str:
    """Return the key that a metric goes by when a person gives it ``key``.

    Besides the keys of the table, any score of a split is one. Of a quantity that no table holds, ``:up`` or
    ``:down`` behind it says which way is better; where the quantity says the same, that is left away.

    Args:
        key: As a person wrote it.

    Raises:
        UnknownMetricError: If it is no key; the message names the closest one, or what is wrong.

    >>> given_key("test/score:up"), given_key("test/energy:down"), given_key("weights/norm")
    ('test/score', 'test/energy:down', 'weights/norm')
    """
    plain, is_up = split_direction(key)
    split, _, quantity = plain.partition("/")
    is_curve = is_split(split) and _QUANTITY.fullmatch(quantity) is not None
    score = score_of(plain) if is_curve else None
    known = score if score is not None and score.quantity == quantity else None
    if is_up is not None and is_curve:
        return plain if known is not None and known.higher_is_better == is_up else key
    if known is not None or find_metric(key) is not None:
        return key
    scores = [f"{one}/{name}" for one in SPLITS for name in SCORES]
    near = difflib.get_close_matches(key, [*spelled_out(), *scores], n=1, cutoff=0.0)
    own = f". If it is a quantity of your own, say which way is better: {key}:up or {key}:down"
    raise UnknownMetricError(f"{key!r} is no key; closest: {near[0]!r}{own if is_curve else ''}")

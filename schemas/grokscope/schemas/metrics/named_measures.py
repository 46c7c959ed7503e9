"""Norms and progress by the names that other people's loggers give them."""

from collections.abc import Mapping

_WHOSE_NORM: Mapping[str, str] = {
    **dict.fromkeys(("weight", "weights", "param", "params", "parameter", "parameters"), "weights/norm"),
    **dict.fromkeys(("grad", "grads", "gradient", "gradients"), "gradients/norm"),
}
_NORM_FILLER = frozenset({"norm", "norms", "l2", "total", "global", "train", "model"})

_EPOCHS = frozenset(map(frozenset, ({"epoch"}, {"epochs"}, {"current", "epoch"}, {"trainer", "epoch"})))
_SECONDS = frozenset({"elapsed", "seconds"})
_SEEN = frozenset({"seen", "consumed", "processed", "trained", "cumulative"})
"""Words for what training has gone through, not for what a set or a batch holds."""
_SEEN_FILLER = frozenset(
    {"num", "n", "number", "of", "input", "total", "train", "training", "so", "far", "on", "throughput"}
)
_COUNTED: Mapping[str, str] = {
    "tokens": "progress/tokens",
    "flops": "progress/flops",
    "flos": "progress/flops",
    "examples": "progress/examples",
    "samples": "progress/examples",
    "sequences": "progress/examples",
    "images": "progress/examples",
}
_UNIQUE: Mapping[str, str] = {
    "tokens": "progress/unique_tokens",
    "examples": "progress/unique_examples",
    "samples": "progress/unique_examples",
}
# Loggers give these running totals; of samples and images the bare number is most often that of a set.
_TOTAL = frozenset({"tokens", "flops", "flos"})


def measure_named(words: frozenset[str]) -> str | None:
    """Return the key of the norm or the progress that a name of these words is.

    >>> measure_named(frozenset({"train", "grad", "norm"})), measure_named(frozenset({"epoch"}))
    ('gradients/norm', 'progress/epochs')
    >>> [measure_named(frozenset(words)) for words in ({"consumed", "samples"}, {"train", "samples"})]
    ['progress/examples', None]
    """
    return _norm(words) or _progress(words)


def _progress(words: frozenset[str]) -> str | None:
    bare = words - {"train", "training"}
    if bare in _EPOCHS:
        return "progress/epochs"
    if bare == _SECONDS:
        return "progress/seconds"
    if "repetitions" in bare and bare <= {"repetitions", "data", "dataset", "token", "tokens"}:
        return "progress/repetitions"
    counted = [word for word in bare if word in _COUNTED]
    if len(counted) != 1:
        return None
    rest = bare - {counted[0]}
    if rest & {"unique", "distinct"}:
        is_plain = rest <= {"unique", "distinct"} | _SEEN | _SEEN_FILLER
        return _UNIQUE.get(counted[0]) if is_plain else None
    is_running = bool(rest & _SEEN) or counted[0] in _TOTAL or bare == frozenset({"examples"})
    return _COUNTED[counted[0]] if is_running and rest <= _SEEN | _SEEN_FILLER else None


def _norm(words: frozenset[str]) -> str | None:
    whose = {_WHOSE_NORM[word] for word in words if word in _WHOSE_NORM}
    if len(whose) != 1 or not words & {"norm", "l2"} or not words <= _WHOSE_NORM.keys() | _NORM_FILLER:
        return None
    return whose.pop()

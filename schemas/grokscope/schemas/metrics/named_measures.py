"""Norms and progress by the names that other people's loggers give them."""

from collections.abc import Mapping

_WHOSE_NORM: Mapping[str, str] = {
    **dict.fromkeys(("weight", "weights", "param", "params", "parameter", "parameters"), "weights/norm"),
    **dict.fromkeys(("grad", "grads", "gradient", "gradients"), "gradients/norm"),
}
_NORM_FILLER = frozenset({"norm", "norms", "l2", "total", "global", "train", "model"})

_PROGRESS: Mapping[frozenset[str], str] = {
    **dict.fromkeys(map(frozenset, ({"epoch"}, {"epochs"})), "progress/epochs"),
    **dict.fromkeys(
        map(frozenset, ({"tokens"}, {"tokens", "seen"}, {"num", "input", "tokens", "seen"})),
        "progress/tokens",
    ),
    **dict.fromkeys(
        map(frozenset, ({"flops"}, {"flos"}, {"total", "flops"}, {"total", "flos"})), "progress/flops"
    ),
    **dict.fromkeys(
        map(frozenset, ({"examples", "seen"}, {"samples", "seen"}, {"examples"})), "progress/examples"
    ),
    frozenset({"elapsed", "seconds"}): "progress/seconds",
}


def measure_named(words: frozenset[str]) -> str | None:
    """Return the key of the norm or the progress that a name of these words is.

    >>> measure_named(frozenset({"train", "grad", "norm"})), measure_named(frozenset({"epoch"}))
    ('gradients/norm', 'progress/epochs')
    """
    return _norm(words) or _PROGRESS.get(words - {"train"})


def _norm(words: frozenset[str]) -> str | None:
    whose = {_WHOSE_NORM[word] for word in words if word in _WHOSE_NORM}
    if len(whose) != 1 or not words & {"norm", "l2"} or not words <= _WHOSE_NORM.keys() | _NORM_FILLER:
        return None
    return whose.pop()

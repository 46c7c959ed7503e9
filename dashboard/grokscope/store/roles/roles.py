"""Which curve is what: roles of other people's metrics, and how a person overrides a guess.

How a page or a command uses it, with a store from ``open_store``::

    overrides = store.aliases(experiment)                # {name: key, or IGNORED}
    roles = roles_of(names, overrides)                   # one Role a name: kind, canonical, how, reason ...
    verdicts = detect(under_roles(points, overrides))    # the engine sees canonical names
    store.set_alias(experiment, name="probe_acc", canonical="test/accuracy")
    store.set_alias(experiment, name="aux_loss", canonical=IGNORED)
    store.set_alias(experiment, name="energy", canonical="test/energy:down")
    store.clear_alias(experiment, name="probe_acc")

Overrides are experiment tags (see ``tags``), so
all who read the store share them; MLflow's own pages show them too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from grokscope.schemas import Reading, Scale, Sureness, find_metric, is_split, readings, resolve, score_of
from grokscope.store.roles.tags import IGNORED


class RoleKind(StrEnum):
    """What a metric is to the engine and the charts."""

    FIT = "fit"
    OUTCOME = "outcome"
    LOSS = "loss"
    NORM = "norm"
    PROGRESS = "progress"
    MEASURE = "measure"
    NONE = "none"


class How(StrEnum):
    """Where a role comes from."""

    OWN = "own"
    GUESSED = "guessed"
    OVERRIDDEN = "overridden"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one metric is taken for.

    Attributes:
        name: As it was logged.
        canonical: Our key that it goes by; ``None`` where it keeps its own name.
        kind: What it is to the engine: fit (training score), outcome (held-out score), loss, norm, progress
            (an x-axis), measure (any other known one), none.
        how: Named by our own key, guessed, overridden by a person, or unknown.
        reason: Why, in one sentence.
        sureness: How sure a guess is.
        higher_is_better: Which way is better, if its name or a person tells.
    """

    name: str
    canonical: str | None
    kind: RoleKind
    how: How
    reason: str
    sureness: Sureness
    higher_is_better: bool | None


_QUANTITY_KINDS: Mapping[str, RoleKind] = {
    "loss": RoleKind.LOSS,
    "batch_loss": RoleKind.LOSS,
    "norm": RoleKind.NORM,
    "spectral_norm": RoleKind.NORM,
}
_SCORES = frozenset({"accuracy", "mrr", "information"})


def roles_of(metric_names: Iterable[str], overrides: Mapping[str, str] | None = None) -> tuple[Role, ...]:
    """Return the role of each metric, in sorted order of the names.

    Args:
        metric_names: As logged; those of one run or of one experiment, since neighbours matter.
        overrides: Name -> our key or ``IGNORED``, as ``Store.aliases`` gives them.

    >>> for role in roles_of(["train_acc", "val/accuracy", "lr"], {"lr": "-"}):
    ...     print(role.name, role.canonical, role.kind, role.how)
    lr None none overridden
    train_acc train/accuracy fit guessed
    val/accuracy val/accuracy outcome own
    """
    overrides = overrides or {}
    guessed = readings(metric_names)
    resolved = resolved_names(guessed, overrides)
    return tuple(_role(one, resolved[name], overrides) for name, one in sorted(guessed.items()))


def resolved_names(metric_names: Iterable[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map each name to the key that it goes by; ignored and unknown ones map to themselves.

    >>> resolved_names(["val_acc", "aux_loss"], {"val_acc": "test/accuracy"})
    {'val_acc': 'test/accuracy', 'aux_loss': 'aux_loss'}
    """
    names = list(metric_names)
    ignored = _ignored(overrides)
    chosen = {name: key for name, key in (overrides or {}).items() if key != IGNORED}
    known = resolve([name for name in names if name not in ignored], chosen)
    return {name: known.get(name, name) for name in names}


def read_names(metrics: Iterable[str], overrides: Mapping[str, str]) -> dict[str, str]:
    """Return metrics as logged -> the key that they go by, by rule and by what people say.

    Those that a person left out are left out.

    >>> read_names(["val_acc", "aux_loss"], {"aux_loss": IGNORED})
    {'val_acc': 'val/accuracy'}
    """
    named = resolved_names(metrics, overrides)
    return {own: ours for own, ours in named.items() if overrides.get(own) != IGNORED}


def kind_of(canonical: str) -> RoleKind:
    """Return what one of our keys is to the engine.

    >>> [str(kind_of(key)) for key in ("shift:rotated/accuracy", "weights/norm", "progress/tokens", "lr")]
    ['outcome', 'norm', 'progress', 'none']
    >>> [str(kind_of(key)) for key in ("train/f1", "val/error", "test/perplexity", "test/energy:down")]
    ['fit', 'outcome', 'loss', 'outcome']
    """
    metric = find_metric(canonical)
    if metric is not None and metric.family == "progress":
        return RoleKind.PROGRESS
    if metric is not None and metric.quantity not in _SCORES:
        return _QUANTITY_KINDS.get(metric.quantity, RoleKind.MEASURE)
    split = canonical.partition("/")[0]
    score = score_of(canonical) if is_split(split) else None
    if score is None:
        return RoleKind.NONE
    if score.scale in (Scale.LOG, Scale.POSITIVE):
        return RoleKind.LOSS
    return RoleKind.FIT if split == "train" else RoleKind.OUTCOME


def _role(reading: Reading, key: str, overrides: Mapping[str, str]) -> Role:
    how, reason = _why(reading, key, overrides)
    canonical = None if how is How.UNKNOWN or overrides.get(reading.name) == IGNORED else key
    score = score_of(canonical or reading.name)
    return Role(
        name=reading.name,
        canonical=canonical,
        kind=RoleKind.NONE if canonical is None else kind_of(canonical),
        how=how,
        reason=reason,
        sureness=Sureness.SURE if how is How.OVERRIDDEN else reading.sureness,
        higher_is_better=None if score is None else score.higher_is_better,
    )


def _why(reading: Reading, key: str, overrides: Mapping[str, str]) -> tuple[How, str]:
    name, guess = reading.name, reading.key
    if name in overrides:
        return _why_overridden(overrides[name], key)
    if not reading.is_followed:
        may_be = "" if guess is None else f" It may be {guess}."
        return How.UNKNOWN, f"{reading.because}{may_be}"
    if guess == name:
        return How.OWN, "It has the name of one of our metrics."
    if guess == key:
        return How.GUESSED, reading.because
    return How.UNKNOWN, f"Its name says {guess}, which another metric has."


def _why_overridden(wanted: str, key: str) -> tuple[How, str]:
    if wanted == IGNORED:
        return How.OVERRIDDEN, "A person left it out of detection."
    if wanted == key:
        return How.OVERRIDDEN, f"A person mapped it to {key}."
    return How.UNKNOWN, f"A person mapped it to {wanted}, which another metric has; map that one away."


def _ignored(overrides: Mapping[str, str] | None) -> set[str]:
    return {name for name, key in (overrides or {}).items() if key == IGNORED}

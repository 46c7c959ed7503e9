"""Other people's metric names, mapped to keys: each name by itself, and by the names beside it.

``val_acc``, ``eval_loss``, ``Train/Acc`` and ``test_accuracy`` all say the same two things, a split and a
quantity (``reading``). A bare ``loss`` says only one; the names beside it tell the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from grokscope.schemas.metrics.reading import Reading, Sureness, read_alone
from grokscope.schemas.metrics.words import words_of

_SUMMARIES: Mapping[str, frozenset[str]] = {
    "train_loss": frozenset({"train_runtime", "loss"}),
    "train/train_loss": frozenset({"train/train_runtime"}),
}
"""Means over the whole run that Transformers' Trainer logs at its end, and what it logs beside them."""
_NOISY = frozenset({"step", "batch", "minibatch", "running", "smooth", "smoothed", "ema", "raw", "current"})


def canonical(name: str) -> str | None:
    """Return the key for ``name``, or ``None`` if it does not say by itself which curve it is.

    Args:
        name: A metric name as some tracker stored it; a key is returned as it is.

    >>> [canonical(n) for n in ("val_acc", "eval_loss", "Train/Acc", "testAccuracy", "lr")]
    ['val/accuracy', 'val/loss', 'train/accuracy', 'test/accuracy', None]
    >>> [canonical(n) for n in ("lambada_openai/acc", "grad_norm", "epoch")]
    ['shift:lambada_openai/accuracy', 'gradients/norm', 'progress/epochs']
    >>> [canonical(n) for n in ("eval_train_accuracy", "eval_test_loss", "train_val_loss")]
    ['train/accuracy', 'test/loss', None]
    """
    reading = read_alone(name)
    return reading.key if reading.is_followed else None


def read_name(name: str, company: Iterable[str] = ()) -> Reading:
    """Return what ``name`` is read as, beside the names that were logged with it.

    >>> reading = read_name("loss", ["val_loss", "lr"])
    >>> reading.key, reading.sureness, reading.because
    ('train/loss', <Sureness.LIKELY: 'likely'>, 'It names no split, and val_loss stands beside it.')
    """
    return readings([name, *company])[name]


def readings(names: Iterable[str]) -> dict[str, Reading]:
    """Return what each of ``names``, logged together, is read as.

    >>> [one.key for one in readings(["accuracy", "val_accuracy", "lr"]).values()]
    ['train/accuracy', 'val/accuracy', None]
    """
    found = {name: read_alone(name) for name in names}
    for summary in _SUMMARIES.keys() & found.keys():
        if found.keys() >= _SUMMARIES[summary]:
            because = "Transformers logs the mean over the whole run by it."
            found[summary] = replace(found[summary], key=None, sureness=Sureness.UNREAD, because=because)
    _read_bare(found)
    _read_tasks(found)
    _read_tokens(found)
    return found


def guesses(names: Iterable[str]) -> dict[str, str | None]:
    """Map each of ``names`` to the key that it is read as; what a name does not say, its company may.

    A bare ``loss`` beside ``val_loss`` is the training loss, as Keras and Transformers write it.

    >>> guesses(["loss", "val_loss", "lr"])
    {'loss': 'train/loss', 'val_loss': 'val/loss', 'lr': None}
    """
    return {name: one.key if one.is_followed else None for name, one in readings(names).items()}


def resolve(names: Iterable[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map each of ``names`` to a key; a user's ``overrides`` win, unknown names map to themselves.

    When two names would claim one key, the name that already is the key keeps it, else the plainest does (a
    mean over an epoch before a single batch), and the others keep their own names: two curves are never
    poured into one.

    >>> resolve(["val_acc", "val/accuracy", "lr"])
    {'val_acc': 'val_acc', 'val/accuracy': 'val/accuracy', 'lr': 'lr'}
    >>> resolve(["train_loss_step", "train_loss_epoch"])
    {'train_loss_step': 'train_loss_step', 'train_loss_epoch': 'train/loss'}
    """
    overrides = overrides or {}
    found = readings(names)
    keys = {name: one.key if one.is_followed else None for name, one in found.items()}
    resolved = {name: overrides.get(name) or key or name for name, key in keys.items()}

    def order(name: str) -> tuple[object, ...]:
        # Who is at home stays; then a user's word goes before a guess, and a sure guess before a likely one.
        is_sure = found[name].sureness is Sureness.SURE
        return resolved[name] != name, name not in overrides, not is_sure, *_plainness(name)

    has_clash = True
    while has_clash:  # each round sends at least one name home for good
        has_clash, taken = False, set[str]()
        for name in sorted(resolved, key=order):
            if resolved[name] in taken:
                resolved[name], has_clash = name, True
            taken.add(resolved[name])
    return resolved


def _plainness(name: str) -> tuple[bool, int, str]:
    words = words_of(name)
    return not _NOISY.isdisjoint(words), len(words), name


def _read_bare(found: dict[str, Reading]) -> None:
    """Read names without a split as those of training, where training has no other name of it."""
    held_out: dict[str, str] = {}
    for name, one in found.items():
        if one.is_followed and one.score is not None and one.split in ("val", "test") and not one.task:
            held_out.setdefault(one.score.quantity, name)
    taken = {one.key for one in found.values() if one.is_followed}
    losses = _named_losses(found)
    for name, one in found.items():
        if one.sureness is not Sureness.UNSURE or one.split != "train" or one.key is None:
            continue
        quantity = one.score.quantity if one.score is not None else ""
        if one.key in taken:
            because = f"It names no split, and {one.key} is there by another name."
            found[name] = replace(one, key=None, because=because)
        elif quantity in held_out:
            because = f"It names no split, and {held_out[quantity]} stands beside it."
            found[name] = replace(one, sureness=Sureness.LIKELY, because=because)
        elif quantity != "loss" and losses is not None:
            split, trained, tested = losses
            because = (
                f"It names no split; {trained} and {tested} do, so it scores what was held out (fastai)."
            )
            key = f"{split}/{quantity}"
            found[name] = replace(one, split=split, key=key, sureness=Sureness.LIKELY, because=because)
        elif quantity == "loss":
            because = "A loss that names no split is most often that of training."
            found[name] = replace(one, sureness=Sureness.LIKELY, because=because)


def _named_losses(found: Mapping[str, Reading]) -> tuple[str, str, str] | None:
    """Return the held-out split, and the losses of training and of it, where both name their split."""
    losses = {
        one.split: name
        for name, one in found.items()
        if one.is_followed and one.score is not None and one.score.quantity == "loss" and not one.task
        if one.split in words_of(name) or "valid" in words_of(name)
    }
    split = next((split for split in ("val", "test") if split in losses), None)
    return None if split is None or "train" not in losses else (split, losses["train"], losses[split])


def _read_tasks(found: dict[str, Reading]) -> None:
    """Follow what may be a task, where training and a held-out set both have it: ``acc_add`` of either."""
    trained = {(one.task, one.score) for one in found.values() if one.split == "train" and one.task}
    for name, one in found.items():
        is_suggested = one.sureness is Sureness.UNSURE and one.key is not None and one.split != "train"
        if is_suggested and (one.task, one.score) in trained:
            because = f"{one.task!r} is a task that training has too."
            found[name] = replace(one, sureness=Sureness.LIKELY, because=because)


def _read_tokens(found: dict[str, Reading]) -> None:
    """Tell the accuracy of tokens from that of whole answers, where both are there."""
    whole = {one.key for one in found.values() if one.score is not None and one.score.quantity == "accuracy"}
    for name, one in found.items():
        if one.key is None or one.score is None or one.score.quantity != "token_accuracy":
            continue
        if one.key in whole:
            key = one.key.replace("/accuracy", "/token_accuracy")
            because = "It is the accuracy of tokens, and that of whole answers stands beside it."
            found[name] = replace(one, key=key, because=because)

"""Verdicts of a store's runs as people left them."""

from collections.abc import Sequence

from grokscope.cli.terminal import say
from grokscope.schemas import Verdict, reviewed
from grokscope.store import Store


def as_reviewed(verdicts: Sequence[Verdict], store: Store) -> list[Verdict]:
    """Return the verdicts with what people decided about their runs; say on stderr what cannot be read.

    Raises:
        StoreError: If the store cannot be read.
    """
    tags: dict[str, dict[str, str]] = {}
    for run, key, value in store.tags([one.run for one in verdicts]).select("run_id", "key", "value").rows():
        tags.setdefault(run, {})[key] = value
    found = [reviewed(one, tags.get(one.run, {})) for one in verdicts]
    for sentence in dict.fromkeys(sentence for one in found for sentence in one.unread):
        say(sentence, err=True)
    return [one.verdict for one in found]

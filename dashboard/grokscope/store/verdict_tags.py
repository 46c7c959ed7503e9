"""Verdicts on MLflow runs: tags to search by, and the whole record as an artifact."""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from types import MappingProxyType

from grokscope.schemas import Verdict, tags, verdict_to_json
from grokscope.store.mlflow_client.client import open_client
from grokscope.store.mlflow_client.errors import explained

ARTIFACT = "grokscope/verdict.json"

_LIMITS = MappingProxyType(
    {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
)
_ENVIRONMENT = Lock()


def tags_of(verdict: Verdict) -> dict[str, str]:
    """Return the tags that ``verdict`` has a value for.

    >>> from grokscope.schemas import Date, Pattern
    >>> verdict = Verdict(run="r", pattern=Pattern.MEMORIZATION, memorized=Date(step=9, low=8, high=9))
    >>> sorted(tags_of(verdict))
    ['grokscope.memorized_step', 'grokscope.pattern', 'grokscope.verdict_digest']
    """
    ratio = None if verdict.delay is None else verdict.delay.ratio
    dates = {
        tags.ONSET_STEP: verdict.onset,
        tags.MEMORIZED_STEP: verdict.memorized,
        tags.GENERALIZED_STEP: verdict.generalized,
    }
    values = {
        tags.PATTERN: verdict.pattern.value,
        **{name: None if date is None else str(date.step) for name, date in dates.items()},
        tags.DELAY_RATIO: None if ratio is None else f"{ratio:g}",
        tags.DETECTOR: verdict.detector or None,
        tags.VERDICT_DIGEST: hashlib.blake2b(verdict_to_json(verdict).encode(), digest_size=8).hexdigest(),
    }
    return {name: value for name, value in values.items() if value is not None}


def write_verdict(uri: str, verdict: Verdict) -> None:
    """Write ``verdict`` through MLflow's own client: the artifact first, so that no tag points at nothing.

    Raises:
        StoreError: If the run is not there or the store cannot be written.
    """
    found = tags_of(verdict)
    with explained(uri), limited():
        mlflow, client = open_client(uri)
        present = client.get_run(verdict.run).data.tags
        client.log_text(verdict.run, verdict_to_json(verdict), ARTIFACT)
        client.log_batch(verdict.run, tags=[mlflow.entities.RunTag(*tag) for tag in found.items()])
        for stale in sorted((present.keys() & set(tags.VERDICT_TAGS)) - found.keys()):
            client.delete_tag(verdict.run, stale)


@contextmanager
def limited() -> Generator[None]:
    """Keep MLflow's client short and silent: it takes that from the environment only, which is put back."""
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in _LIMITS}
        os.environ.update(_LIMITS)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

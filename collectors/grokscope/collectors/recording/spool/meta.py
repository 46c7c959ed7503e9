"""What a spool is: its run and where it goes, written beside the records in ``meta.json``."""

import json
import os
import socket
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from grokscope.collectors.recording.run_ids import TrackerError, checked_run_id
from grokscope.collectors.recording.spool.small_files import whole_number
from grokscope.schemas.files.private import content_of
from grokscope.schemas.files.spools import META
from grokscope.schemas.secrets import without_credentials

VERSION = 2
"""Of the records: 1 knew no arrays."""
_TEXTS = ("store", "experiment", "name", "host", "kernel")
_PAIRS = ("params", "tags")
_NUMBERS = ("start_ms", "attempt", "pid")


def kernel() -> str:
    """Return what names the running kernel: one machine between two starts, all its containers included."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return socket.gethostname()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a spool is: written once, before its first record.

    Attributes:
        run_id: The run's id on the client side; MLflow's run carries it as tag ``grokscope.client_run_id``.
        store: MLflow tracking URI, without credentials.
        experiment: Name of the experiment.
        name: Name of the run.
        params: Flat params, as text.
        tags: Tags, as text.
        start_ms: When the run began, Unix time in ms.
        attempt: 1 for the first process that writes to this run, counting up on every resume.
        host: The machine, or container, that writes it.
        kernel: What runs there; see ``kernel``. Empty in spools of earlier versions.
        pid: The process that writes it, as it sees itself.
        version: Version of this layout.
    """

    run_id: str
    store: str
    experiment: str
    name: str
    params: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    start_ms: int = 0
    attempt: int = 1
    host: str = field(default_factory=socket.gethostname)
    kernel: str = field(default_factory=kernel)
    pid: int = field(default_factory=os.getpid)
    version: int = VERSION


class NoMetaError(ValueError):
    """A ``meta.json`` that tells nothing that could be used; says why."""


def read_meta(folder: Path) -> Meta | None:
    """Return what a spool is, or ``None`` if it has gone, is damaged, or is of a later version."""
    try:
        return meta_of(folder)
    except (OSError, NoMetaError):
        return None


def meta_of(folder: Path) -> Meta:
    """Return what a spool is.

    Raises:
        NoMetaError: If its ``meta.json`` is damaged or of a later version.
        OSError: If it cannot be read.
    """
    try:
        found: object = json.loads(content_of(folder / META))
    except (ValueError, RecursionError) as error:
        raise NoMetaError(str(error)) from error
    if not isinstance(found, dict):
        raise NoMetaError("it is no JSON object")
    given: dict[str, Any] = {"kernel": "", **cast("dict[str, Any]", found)}
    version = given.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        got = version if type(version) is int else "none"
        raise NoMetaError(f"its version is {got}, and 1 to {VERSION} are known")
    for each in fields(Meta):
        if each.name not in given and (each.default, each.default_factory) == (MISSING, MISSING):
            raise NoMetaError(f"it lacks {each.name}")
        if each.name in given and not _fits(each.name, given[each.name]):
            value = given[each.name]
            shown = repr(value[:80]) if isinstance(value, str) else f"a {type(value).__name__}"
            raise NoMetaError(f"its {each.name} cannot be {shown}")
    given["store"] = without_credentials(given["store"])  # an earlier version left some secrets in it
    return Meta(**{f.name: given[f.name] for f in fields(Meta) if f.name in given})


def _fits(name: str, value: object) -> bool:
    if name in _NUMBERS:
        return whole_number(value) is not None
    if name in _PAIRS:
        pairs = cast("dict[object, object]", value) if isinstance(value, dict) else {None: None}
        return all(map(_is_text, (*pairs, *pairs.values())))
    return _is_text(value) if name in _TEXTS else name == "version" or _is_run_id(value)


def _is_text(value: object) -> bool:
    """Say whether every database takes it: no NUL, and no half of a character."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_run_id(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(checked_run_id(value))
    except TrackerError:
        return False

"""What lies among the spools and is not sent: of which each is told what it is, why, and what would help."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from grokscope.collectors.recording.spool.layout import segments
from grokscope.collectors.recording.spool.meta import VERSION, NoMetaError, meta_of
from grokscope.collectors.recording.spool.reader import unshipped
from grokscope.schemas.files.private import NotPrivateError, check_folder, check_place
from grokscope.schemas.files.spools import META, dead, spools, visible

_FOLDER = re.compile(r"(?P<run_id>.+)\.(?P<attempt>\d+)-\d+-(?P<start_ms>\d+)")


def refused_spools(home: Path) -> dict[Path, str]:
    """Return what of a home's spools is not sent, and a sentence for each.

    >>> refused_spools(Path("no-such-home"))
    {}
    """
    return {path: reason for path, reason in _looked_at(home) if reason}


def _looked_at(home: Path) -> Iterator[tuple[Path, str]]:
    for place in (home, spools(home), home / "ship", dead(home)):
        try:
            check_place(place)
        except OSError as error:
            yield place, str(error)
            if place in (home, spools(home)):
                return
    yield from ((folder, why_refused(folder)) for folder in visible(spools(home)))


def why_refused(folder: Path) -> str:
    """Say why a spool cannot be sent as it is; empty if it can, or has gone."""
    try:
        check_folder(folder)
        if not (folder / META).exists():
            return _without_meta(folder)
        meta_of(folder)
    except FileNotFoundError:
        return ""
    except NotPrivateError as error:
        return str(error)
    except (OSError, NoMetaError) as error:
        return (
            f"{folder / META} is damaged or of a later version of grokscope ({error}); upgrade grokscope, or "
            "mend the file by the example of another spool's, and run 'grokscope sync' again"
        )
    return ""


def _without_meta(folder: Path) -> str:
    count = len(list(segments(folder)))
    if not count:
        return ""
    named = _FOLDER.fullmatch(folder.name)
    about = {
        "version": VERSION,
        "run_id": named["run_id"] if named else folder.name,
        "name": named["run_id"] if named else folder.name,
        "attempt": int(named["attempt"]) if named else 1,
        "start_ms": int(named["start_ms"]) if named else 0,
        "store": "STORE",
        "experiment": "EXPERIMENT",
    }
    return (
        f"{folder} has no {META}, so nobody can tell where its {unshipped(folder):,} points (in {count} "
        f"segments) belong; write one with {json.dumps(about)}, put the store's address and the experiment "
        "into it, and run 'grokscope sync' again; or delete the folder"
    )

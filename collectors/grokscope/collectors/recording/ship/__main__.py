"""``python -m grokscope.collectors.recording.ship``: the process that carries spools into MLflow."""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from grokscope.collectors.recording.ship.credentials import full_uri
from grokscope.collectors.recording.ship.lock import ShipLock
from grokscope.collectors.recording.ship.run_store import StoreReplaced
from grokscope.collectors.recording.ship.service import FAILED, OTHER_VERSION, Service, write_state
from grokscope.schemas import other_version
from grokscope.schemas.secrets import redacted

_log = logging.getLogger(__name__)

_TRIES = 5
_STDERR = 2

# The shipper has its own backoff and its own process, so these never touch a user's calls. They must be
# set before mlflow is imported.
MLFLOW_SETTINGS: Mapping[str, str] = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A trainer may ask for it; here it would acknowledge points that are not stored.
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def main() -> int:
    """Ship until nothing is left; return at once if another process already does."""
    parser = argparse.ArgumentParser(description="carry spooled points into MLflow")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    arguments = parser.parse_args()
    _keep_printing_apart()
    if arguments.detach and _is_parent():
        return 0
    home = arguments.home.resolve()
    lock = ShipLock(home, arguments.store)
    while lock.acquire(tries=_TRIES):
        again = _ship(home, arguments.store, lock)
        if not again:
            break
    return 0


def _keep_printing_apart() -> None:
    """Open what is closed of the descriptors 0 to 2, so that no database or socket takes what is printed."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(fd)


def _is_parent() -> bool:
    """Split in two: the caller's child ends now, and a grandchild without a terminal goes on."""
    if os.fork():
        return True
    os.setsid()
    return False


def _ship(home: Path, store: str, lock: ShipLock) -> bool:
    """Ship until idle; say whether a spool came while we stopped."""
    os.environ.update(MLFLOW_SETTINGS)
    # Before mlflow is imported, which takes longer than a short training waits at its end.
    if error := other_version(full_uri(store), shown=store):
        write_state(home, store, OTHER_VERSION, str(error))
    try:
        # After the lock, because mlflow takes seconds to import and most processes find the lock taken.
        from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore  # noqa: PLC0415

        service = Service(home, store, run_store=MlflowRunStore(full_uri(store), home=home))
        done = service.run()
    except StoreReplaced:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this process anew; the lock is released with it
    except Exception as error:
        write_state(home, store, FAILED, f"the shipper failed with {redacted(repr(error))}")
        _log.error("%s", redacted(traceback.format_exc()))  # what Python would print may hold the address
        raise SystemExit(1) from error
    finally:
        lock.release()
    # A spool that came while this process decided to stop found the lock taken: it is this one's to ship.
    return done and service.has_spools()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    os.nice(5)  # training comes first
    sys.exit(main())

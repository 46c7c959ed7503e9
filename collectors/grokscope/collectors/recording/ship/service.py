"""The shipper's loop: every spool of one store, one batch each in turn, until there is nothing left."""

import logging
import random
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from grokscope.collectors.recording.ship.delivery.dead_letters import letters_path
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow
from grokscope.collectors.recording.ship.delivery.withdrawal import Withdrawal
from grokscope.collectors.recording.ship.lock import ship_key
from grokscope.collectors.recording.ship.ownership import may_ship
from grokscope.collectors.recording.ship.run_store import OtherVersion, RunStore, StoreReplaced, Unavailable
from grokscope.collectors.recording.spool import (
    Meta,
    find_spools,
    forget_attempts,
    read_json,
    read_meta,
    remove_retired,
    replace_json,
    whole_number,
    why_refused,
)
from grokscope.schemas.files.private import NotPrivateError, check_place, private_folder
from grokscope.schemas.secrets import redacted
from grokscope.schemas.tags import WITHDRAWN

_log = logging.getLogger(__name__)

TICK_SECONDS = 0.4
IDLE_SECONDS = 15.0
# A store that has been away this long, with no training at work: 'grokscope sync' or the next run goes on.
GIVE_UP_SECONDS = 600.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
# Asking a store of another version again costs one query, and somebody may have upgraded it.
_OTHER_VERSION_WAIT = 5.0
_SAY_SECONDS = 2.0
FAILED = "failed"
OTHER_VERSION = "other version"


class _Pause(NamedTuple):
    """How long a run is left alone that the store refuses, maybe for a reason that passes."""

    until: float
    seconds: float

    def longer(self) -> "_Pause":
        seconds = min(_LONGEST_WAIT, max(_FIRST_WAIT, 2 * self.seconds))
        return _Pause(until=time.monotonic() + seconds, seconds=seconds)


_NO_PAUSE = _Pause(until=0.0, seconds=0.0)


class _Backoff:
    """How long a store is left alone that takes nothing now, longer each time.

    Attributes:
        seconds: The last wait; 0 while the store takes what comes.
        is_other_version: Whether the store is of another MLflow.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.is_other_version = False
        self._last_success = time.monotonic()

    @property
    def away_seconds(self) -> float:
        """How long the store has been away.

        Only while waiting: a shipper that was itself stopped for long has not been refused anything.
        """
        return time.monotonic() - self._last_success if self.seconds else 0.0

    def end(self) -> None:
        """Begin anew: the store has taken something."""
        self.seconds, self.is_other_version = 0.0, False
        self._last_success = time.monotonic()

    def lengthen(self, error: Exception) -> None:
        """Wait longer from now on, for the reason that ``error`` is."""
        self.is_other_version = isinstance(error, OtherVersion)
        longest = _OTHER_VERSION_WAIT if self.is_other_version else _LONGEST_WAIT
        self.seconds = min(longest, max(_FIRST_WAIT, 2 * self.seconds))


def state_path(home: Path, store: str) -> Path:
    """Return the file in which a shipper says how it is doing."""
    return home / "ship" / f"{ship_key(store)}.json"


def has_failed(home: Path, store: str) -> bool:
    """Say whether the last shipper failed by itself, and would again.

    >>> has_failed(Path("no-such-home"), "sqlite:////data/mlflow.db")
    False
    """
    return (read_json(state_path(home, store)) or {}).get("state") == FAILED


def other_version(home: Path, store: str, *, since_ms: int) -> str:
    """Return why a shipper writes nothing into a store of another MLflow; empty unless it said so of late.

    >>> other_version(Path("no-such-home"), "sqlite:////data/mlflow.db", since_ms=0)
    ''
    """
    said = read_json(state_path(home, store)) or {}
    is_news = said.get("state") == OTHER_VERSION and (whole_number(said.get("time_ms")) or 0) >= since_ms
    return str(said.get("why", "")) if is_news else ""


def trouble(home: Path, store: str, *, since_ms: int) -> str:
    """Return what a shipper said of late that keeps it from sending; empty while all goes well.

    >>> trouble(Path("no-such-home"), "sqlite:////data/mlflow.db", since_ms=0)
    ''
    """
    said = read_json(state_path(home, store)) or {}
    return str(said.get("why", "")) if (whole_number(said.get("time_ms")) or 0) >= since_ms else ""


def write_state(home: Path, store: str, state: str, why: str, *, spools: int = 0) -> None:
    """Say on disk how shipping to ``store`` goes."""
    path = state_path(home, store)
    now = time.time_ns() // 1_000_000
    with suppress(OSError):  # a full disk must not end the shipping that empties it
        private_folder(home, path.parent.name)
        replace_json(path, {"state": state, "why": why, "time_ms": now, "spools": spools})


class Service:
    """Ships this machine's spools for one store.

    Args:
        home: Where spools live.
        store: MLflow tracking URI.
        run_store: Where points go.
        sleep: Waits a number of seconds.
    """

    def __init__(
        self, home: Path, store: str, *, run_store: RunStore, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._home = home
        self._store = store
        self._run_store = run_store
        self._sleep = sleep
        self._deliveries: dict[Path, Delivery | Withdrawal] = {}
        self._put_aside: set[Path] = set()
        self._pauses: dict[Path, _Pause] = {}
        self._backoff = _Backoff()
        self._next_say = 0.0
        remove_retired(home)
        forget_attempts(home)

    def tick(self) -> int:
        """Go once round all spools, one batch each; return how many scalars were delivered."""
        self._find_new()
        delivered = 0
        for folder, delivery in self._awake():
            try:
                delivered += delivery.advance()
            except NotPrivateError as error:
                self._put_off(folder, str(error))
            except RefusedForNow as error:  # that is about this run alone
                self._pauses[folder] = self._pauses.get(folder, _NO_PAUSE).longer()
                self._say("waiting", str(error))
            except (Unavailable, OSError) as error:
                # To the end of the line: what troubles one run must not keep the others waiting.
                self._deliveries[folder] = self._deliveries.pop(folder)
                self._back_off(error, has_delivered=delivered > 0)
                return delivered
            except StoreReplaced:
                raise
            except Exception as error:  # noqa: BLE001 - one spool must not take the others with it
                _log.error("%s is put off\n%s", folder, redacted(traceback.format_exc()))
                self._put_off(folder, repr(error))
            else:
                self._pauses.pop(folder, None)
                if delivery.is_done:
                    del self._deliveries[folder]
        has_waited = self._backoff.seconds > 0
        self._backoff.end()
        if has_waited or (delivered and time.monotonic() >= self._next_say):
            self._say("shipping", "")
        return delivered

    def run(self, *, idle_seconds: float = IDLE_SECONDS) -> bool:
        """Ship until no spool is left and none has come for ``idle_seconds``.

        Returns:
            Whether everything is shipped; ``False`` after giving up on a store that stays away.
        """
        busy = time.monotonic()
        while not self._is_hopeless():
            self.tick()
            # What a live run adds meanwhile goes out together: a call a point would cost a core.
            if not self._backoff.seconds and not any(d.is_behind for d in self._deliveries.values()):
                self._sleep(TICK_SECONDS)
            if self._deliveries:
                busy = time.monotonic()
            elif time.monotonic() - busy >= idle_seconds:
                self._say("idle", "")
                return True
        return False

    def _is_hopeless(self) -> bool:
        is_hopeless = self._backoff.is_other_version or self._backoff.away_seconds > GIVE_UP_SECONDS
        return is_hopeless and not any(d.is_live for d in self._deliveries.values())

    def has_spools(self) -> bool:
        """Say whether there is anything to ship."""
        self._find_new()
        return bool(self._deliveries)

    def _awake(self) -> list[tuple[Path, Delivery | Withdrawal]]:
        now = time.monotonic()
        return [(f, d) for f, d in self._deliveries.items() if now >= self._pauses.get(f, _NO_PAUSE).until]

    def _find_new(self) -> None:
        for folder in find_spools(self._home):
            if folder in self._deliveries or folder in self._put_aside or (folder / "state.json").exists():
                continue
            meta = read_meta(folder)
            if meta is None or meta.store != self._store:
                continue
            try:
                if not why_refused(folder) and may_ship(self._home, folder, meta):
                    letters = letters_path(self._home, meta.run_id)
                    check_place(letters.parent)
                    self._deliveries[folder] = self._delivery(folder, meta, letters)
            except OSError:  # a disk that fails at one spool; the next round looks again
                continue
            except Exception as error:  # noqa: BLE001 - one spool must not take the others with it
                self._put_off(folder, repr(error))

    def _delivery(self, folder: Path, meta: Meta, letters: Path) -> Delivery | Withdrawal:
        if WITHDRAWN in meta.tags:
            return Withdrawal(folder, meta, home=self._home, run_store=self._run_store)
        return Delivery(folder, meta, run_store=self._run_store, dead_letters=letters)

    def _put_off(self, folder: Path, why: str) -> None:
        """Leave a spool that cannot be shipped to 'grokscope sync': it must not keep the others waiting."""
        self._deliveries.pop(folder, None)
        why = f"{folder} could not be shipped ({redacted(why)}); run 'grokscope sync' to try again"
        try:
            replace_json(folder / "state.json", {"state": FAILED, "why": why})
        except OSError:  # then only for as long as we live
            self._put_aside.add(folder)

    def _back_off(self, error: Exception, *, has_delivered: bool) -> None:
        backoff = self._backoff
        was_other_version = backoff.is_other_version
        if has_delivered:
            backoff.end()
        backoff.lengthen(error)
        wait = backoff.seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
        if not (was_other_version and backoff.is_other_version):
            _log.warning("%s: %s; next try in %.1f s", self._store, error, wait)
        self._say(OTHER_VERSION if backoff.is_other_version else "waiting", str(error))
        self._sleep(wait)

    def _say(self, state: str, why: str) -> None:
        self._next_say = time.monotonic() + _SAY_SECONDS
        write_state(self._home, self._store, state, why, spools=len(self._deliveries))

"""A real server behind a proxy that keeps the answers about one run back: others are read meanwhile."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from polars.testing import assert_frame_equal

from grokscope.store import BusyStoreError, open_store
from grokscope.store.cache import location as mirror_place
from grokscope.store.cache.mirror import Mirror
from grokscope.store.remote import store as remote_store
from grokscope.store.remote.refresh_policy import RefreshPolicy
from grokscope.store.remote.store import RemoteStore
from grokscope.store.rest import calls as rest_calls
from grokscope.store.rest.transport import RestTransport

PATIENCE_S = 60.0


class Proxy(ThreadingHTTPServer):
    """Passes requests on; histories of the run ``held`` wait until they are ``released``."""

    daemon_threads = True

    def __init__(self, server):
        super().__init__(("127.0.0.1", 0), Passing)
        self.server_uri = server
        self.uri = f"http://127.0.0.1:{self.server_address[1]}"
        self.held = None
        self.arrived, self.released = threading.Event(), threading.Event()


class Passing(BaseHTTPRequestHandler):
    def _pass_on(self):
        content = self.rfile.read(int(self.headers.get("content-length", 0))) or None
        if self.server.held and self.server.held in self.path:
            self.server.arrived.set()
            self.server.released.wait(PATIENCE_S)
        asked = urllib.request.Request(self.server.server_uri + self.path, content, method=self.command)
        asked.add_header("content-type", self.headers.get("content-type", "application/json"))
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _pass_on  # noqa: N815 -- http.server asks for these names

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy(server, monkeypatch):
    monkeypatch.setattr(rest_calls, "TIMEOUT_S", PATIENCE_S)
    with Proxy(server) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield proxy
        proxy.released.set()
        proxy.shutdown()


@pytest.fixture
def runs(new_run, log):
    """Two runs in an experiment each."""
    runs = new_run(), new_run()
    for run in runs:
        log(run, *[("m", step, step, 1.0) for step in range(5)])
    return runs


@pytest.fixture
def held(proxy, runs):
    """A store on the proxy, and a thread that reads the first run and has to wait."""
    store = RemoteStore(proxy.uri, transport=RestTransport(proxy.uri))
    read = []
    thread = threading.Thread(target=lambda: read.append(store.points([runs[0]])))
    proxy.held = runs[0]
    thread.start()
    assert proxy.arrived.wait(PATIENCE_S)
    yield store, thread, read
    proxy.released.set()
    thread.join(PATIENCE_S)


def test_a_run_of_another_experiment_is_read_while_one_keeps_its_reader_waiting(held, proxy, runs, reference):
    store, thread, read = held
    assert_frame_equal(store.points([runs[1]]), reference([runs[1]]))
    assert store.metrics([runs[1]]).height == 1
    assert thread.is_alive()
    proxy.released.set()
    thread.join(PATIENCE_S)
    assert_frame_equal(read[0], reference([runs[0]]))


def test_a_second_reading_of_one_experiment_waits_a_while_and_says_so(held, runs, monkeypatch):
    store, _, _ = held
    monkeypatch.setattr(remote_store, "WAIT_S", 0.05)
    with pytest.raises(BusyStoreError, match="is being read already"):
        store.points([runs[0]])


def test_a_store_that_was_closed_or_outgrew_its_memory_meanwhile_is_read_whole(
    held, proxy, runs, log, reference
):
    store, thread, read = held
    store.points([runs[1]])
    store.close()
    log(runs[0], ("m", 9, 9, 2.0))
    proxy.released.set()
    thread.join(PATIENCE_S)
    assert_frame_equal(read[0], reference([runs[0]]))
    assert_frame_equal(store.points(list(runs)), reference(list(runs)))


def test_a_mirror_that_outgrew_its_room_is_not_taken_for_more_than_it_holds(
    server, new_run, log, reference, tmp_path, monkeypatch
):
    """What was noted of a run whose points were left out must not make the next process read only its end."""
    monkeypatch.setattr("grokscope.store.cache.mirror.MAX_ROWS", 60)
    runs = new_run(), new_run()
    for run in runs:
        log(run, *[("m", step, step, 1.0) for step in range(40)])
    for _ in range(2):
        mirror = mirror_place.open_mirror(server, root=tmp_path)
        assert isinstance(mirror, Mirror)
        store = RemoteStore(server, transport=RestTransport(server), mirror=mirror, policy=RefreshPolicy())
        for run in runs:
            assert_frame_equal(store.points([run]), reference([run]))
        store.close()
        for run in runs:
            log(run, ("m", 50, 50, 2.0))
    assert_frame_equal(open_store(server).points(list(runs)), reference(list(runs)))

"""Servers that drip, never end or never answer: each is told as slow in bounded time, and lets go of us."""

import json
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest

from grokscope.store import BusyStoreError, NotMLflowError, StoreError, open_store
from grokscope.store.deadline import MAX_LEFT, Deadline, Pages
from grokscope.store.mlflow_client import transport as client_transport
from grokscope.store.mlflow_client.transport import ClientTransport
from grokscope.store.rest import calls as rest_calls
from grokscope.store.rest.transport import RestTransport

PATIENCE_S = 60.0
"""What a test waits at most; a call that has no bound would take as long as its server lives."""

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EXPERIMENT = {"experiment_id": "1", "name": "e", "lifecycle_stage": "active"}


class Server:
    """Takes connections and answers each request as ``answer(send, request)`` does, until it is stopped."""

    def __init__(self, answer):
        self._answer = answer
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self.uri = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.let_go = threading.Semaphore(0)
        self._connections = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except TimeoutError:
                continue
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection):
        def send(content, *, every_s=0.0):
            for piece in content:
                connection.sendall(piece)
                if self._stopped.wait(every_s):
                    raise OSError

        try:
            with connection:
                request = connection.makefile("rb")
                head = b"".join(iter(request.readline, b"\r\n"))
                # What is not read would reset the connection at its end.
                request.read(int((re.findall(rb"(?i)content-length: (\d+)", head) or [0])[0]))
                self._answer(send, head)
        except OSError:
            self.let_go.release()

    def stop(self):
        self._stopped.set()
        self._threads[0].join(PATIENCE_S)
        for connection in self._connections:
            with suppress(
                OSError
            ):  # where the thread has closed it; else it may wait for a client that waits
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._listening.close()


@contextmanager
def serving(answer):
    server = Server(answer)
    try:
        yield server
    finally:
        server.stop()


def forever(piece):
    while True:
        yield piece


def drips_a_head(send, _):
    send(forever(b"x"), every_s=0.02)


def drips_header_lines(send, _):
    send([OK])
    send((f"x-{number}: 1\r\n".encode() for number in range(10**9)), every_s=0.05)


def drips_a_body(send, _):
    send([OK, b"content-length: 100000000\r\n\r\n"])
    send(forever(b" "), every_s=0.02)


def drips_chunks(send, _):
    send([OK, b"transfer-encoding: chunked\r\n\r\n"])
    send(forever(b"1\r\n \r\n"), every_s=0.02)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(rest_calls, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(client_transport, "CALL_S", 0.5)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")


@pytest.mark.parametrize("answer", [drips_a_head, drips_header_lines, drips_a_body, drips_chunks])
def test_a_server_that_drips_is_told_as_slow_and_the_connection_to_it_is_given_up(answer, short):
    with serving(answer) as server:
        with pytest.raises(BusyStoreError, match=r"did not (answer|end its answer) within 0.3 s"):
            open_store(server.uri)
        assert server.let_go.acquire(timeout=PATIENCE_S)


def test_bytes_that_keep_coming_for_longer_than_one_answer_may_take_are_left(monkeypatch):
    monkeypatch.setattr(rest_calls, "WHOLE_S", 1.0)
    with serving(
        lambda send, _: send([OK, b"content-length: 100000000000\r\n\r\n"]) or send(forever(b" " * 65536))
    ) as server:
        monkeypatch.setattr(rest_calls, "MAX_ANSWER", 1 << 60)
        with pytest.raises(BusyStoreError, match="did not end its answer within 1 s"):
            open_store(server.uri)


def test_an_answer_without_end_is_left_at_its_size(monkeypatch):
    monkeypatch.setattr(rest_calls, "MAX_ANSWER", 4 << 20)
    with serving(
        lambda send, _: (
            send([OK, b"transfer-encoding: chunked\r\n\r\n"])
            or send(forever(b"10000\r\n" + b" " * 65536 + b"\r\n"))
        )
    ) as server:
        with pytest.raises(NotMLflowError, match="more than 4 MiB"):
            open_store(server.uri)
        assert server.let_go.acquire(timeout=PATIENCE_S)


def test_a_large_answer_may_take_longer_than_each_silence_in_it(monkeypatch):
    monkeypatch.setattr(rest_calls, "TIMEOUT_S", 2.0)
    body = json.dumps({"experiments": [{**EXPERIMENT, "note": "x" * 600}] * 640}).encode()
    head = OK + f"content-length: {len(body)}\r\n\r\n".encode()
    pieces = [body[i : i + rest_calls.PIECE] for i in range(0, len(body), rest_calls.PIECE)]
    with serving(lambda send, _: send([head, *pieces], every_s=0.1)) as server:
        assert len(RestTransport(server.uri).experiments()) == 640
    assert 0.1 * len(pieces) > rest_calls.TIMEOUT_S


def page(entries, token):
    body = json.dumps({"experiments": [EXPERIMENT] * entries, "next_page_token": token}).encode()
    return [OK, f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode(), body]


@pytest.mark.parametrize(
    ("entries", "token"),
    [(1000, lambda: "again"), (0, lambda: f"{time.monotonic_ns()}"), (1, lambda: f"{time.monotonic_ns()}")],
)
def test_pages_that_come_again_or_bring_next_to_nothing_come_to_an_end(entries, token):
    with (
        serving(lambda send, _: send(page(entries, token()))) as server,
        pytest.raises(NotMLflowError, match="does not come to an end"),
    ):
        open_store(server.uri)


def test_a_listing_whose_pages_come_too_slowly_is_left(monkeypatch):
    monkeypatch.setattr("grokscope.store.deadline.LISTING_S", 0.2)
    with (
        serving(lambda send, _: send(page(0, f"{time.monotonic_ns()}"), every_s=0.1)) as server,
        pytest.raises(BusyStoreError, match="comes too slowly"),
    ):
        open_store(server.uri)


@pytest.mark.parametrize("answer", [drips_a_head, drips_a_body])
def test_mlflows_own_client_is_bounded_too_whatever_it_tries_again(answer, short):
    with serving(answer) as server:
        source = ClientTransport(server.uri)
        for ask in (source.experiments, lambda: source.search(["1"]), lambda: source.since("m", {"r": None})):
            with pytest.raises(BusyStoreError, match=r"did not answer within 0\.5 s"):
                ask()


def test_a_store_that_owes_many_answers_is_not_asked_more_until_one_has_ended():
    released = threading.Event()
    deadline = Deadline("it")
    for _ in range(MAX_LEFT):
        with pytest.raises(BusyStoreError, match="did not answer within"):
            deadline.ask(lambda _: released.wait(PATIENCE_S), silence_s=0.02, whole_s=1)
    with pytest.raises(BusyStoreError, match=f"still owes the answers to {MAX_LEFT} questions"):
        deadline.ask(lambda _: 1, silence_s=1, whole_s=1)
    released.set()
    ended_by = time.monotonic() + PATIENCE_S
    while True:
        try:
            assert deadline.ask(lambda _: 1, silence_s=PATIENCE_S, whole_s=PATIENCE_S) == 1
            break
        except StoreError:
            assert time.monotonic() < ended_by


def test_what_a_question_raises_is_raised_where_it_was_asked():
    with pytest.raises(ZeroDivisionError):
        Deadline("it").ask(lambda _: 1 / 0, silence_s=PATIENCE_S, whole_s=PATIENCE_S)


@pytest.mark.parametrize(("entries", "allowed"), [(0, 101), (5, 202)])
def test_a_listing_may_have_a_hundred_pages_and_one_more_for_every_ten_entries(entries, allowed):
    pages = Pages("the list")
    for number in range(allowed):
        assert pages.next(entries, token=f"{number}") == f"{number}"
    with pytest.raises(NotMLflowError, match=f"{allowed + 1} pages"):
        pages.next(entries, token="one more")


@pytest.mark.parametrize(("entries", "seconds"), [(0, 30.0), (100, 35.0)])
def test_a_listing_may_take_half_a_minute_and_a_second_for_every_twenty_entries(
    entries, seconds, monkeypatch
):
    clock = SimpleNamespace(monotonic=lambda: 7.0)
    monkeypatch.setattr("grokscope.store.deadline.time", clock)
    pages = Pages("the list")
    clock.monotonic = lambda: 7.0 + seconds
    assert pages.next(entries, token="a") == "a"
    clock.monotonic = lambda: 7.01 + seconds
    with pytest.raises(BusyStoreError, match="comes too slowly"):
        pages.next(0, token="b")


def test_an_answer_that_was_begun_is_told_apart_from_one_that_never_came():
    released = threading.Event()

    def begun(sign):
        sign()
        released.wait(PATIENCE_S)

    for question, said in (
        (begun, "did not end its"),
        (lambda _: released.wait(PATIENCE_S), "did not answer"),
    ):
        with pytest.raises(BusyStoreError, match=said):
            Deadline("it").ask(question, silence_s=0.05, whole_s=5)
    released.set()


def test_a_sign_that_comes_while_it_is_waited_for_gives_the_same_time_again(monkeypatch):
    now, told, go_on = [100.0], list[float](), threading.Event()

    def monotonic():
        told.append(now[0])
        if told.count(100.06) == 4:
            go_on.set()
        return now[0]

    def question(sign):
        now[0] = 100.04
        sign()
        now[0] = 100.06
        return go_on.wait(PATIENCE_S)

    monkeypatch.setattr("grokscope.store.deadline.time", SimpleNamespace(monotonic=monotonic))
    assert Deadline("it").ask(question, silence_s=0.05, whole_s=60.0)

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grokscope.dashboard import STORE_VARIABLE, server_flags

START_S = 60


@pytest.fixture(scope="module")
def server(sweep, free_port, tmp_path_factory):
    """The dashboard as the command starts it."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", *server_flags(port)]
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, STORE_VARIABLE: sweep.uri, "HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log)
    deadline = time.monotonic() + START_S
    while not listens(port):
        assert process.poll() is None, (home / "log").read_text()
        assert time.monotonic() < deadline, (home / "log").read_text()
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(30)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def listening_addresses(port):
    """Read the kernel's own tables of listening sockets."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    local = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {address for address, at in local if int(at, 16) == port}


def handshake(port, host, origin):
    """Ask for the page's WebSocket as a browser would; return the status line."""
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: {origin}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(1024).split(b"\r\n")[0].decode().split()[1]


def test_the_server_listens_on_this_machine_only(server):
    assert listening_addresses(server) == {"0100007F"}


def test_a_page_of_another_host_cannot_connect_by_rebinding_its_name(server):
    assert handshake(server, "evil.example", "http://evil.example") == "403"
    assert handshake(server, f"localhost:{server}", f"http://localhost:{server}") == "101"


def test_no_setting_is_left_open():
    flags = set(server_flags(8501))
    assert {
        "--server.address=127.0.0.1",
        "--server.enableXsrfProtection=true",
        "--server.enableCORS=true",
        "--server.enableStaticServing=false",
        "--browser.gatherUsageStats=false",
        "--client.disableDataExport=true",
        "--client.showErrorDetails=none",
        "--client.toolbarMode=viewer",
        "--server.headless=true",
        "--server.allowedHosts=localhost",
        "--server.allowedHosts=127.0.0.1",
    } <= flags


def test_a_browser_is_opened_on_request():
    assert "--server.headless=false" in server_flags(8501, headless=False)


def test_on_another_address_only_that_name_is_answered_to_as_well():
    names = [flag for flag in server_flags(8501, host="10.0.0.5") if "allowedHosts" in flag]
    assert names == [f"--server.allowedHosts={name}" for name in ("localhost", "127.0.0.1", "10.0.0.5")]
    every = [flag for flag in server_flags(8501, host="0.0.0.0") if "allowedHosts" in flag]
    assert every == ["--server.allowedHosts=localhost", "--server.allowedHosts=127.0.0.1"]

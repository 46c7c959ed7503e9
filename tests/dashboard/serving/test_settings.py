import http.client
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import streamlit

from grokscope.dashboard import STORE_VARIABLE, server_flags
from grokscope.dashboard.serving.browser_policy import is_own, policy
from grokscope.dashboard.serving.page import with_files

SEEN = {"runs": "canvas", "compare": "[data-domain]", "health": "[data-testid=stTable]"}
"""What a page shows once it is drawn, where that is no chart."""


@pytest.fixture(scope="module")
def start(sweep, free_port, tmp_path_factory, wait_until):
    """Start the dashboard as the command does: ``port, process = start()``."""
    started = []

    def _start():
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", *server_flags(port)]
        home = tmp_path_factory.mktemp("home")
        environment = {**os.environ, STORE_VARIABLE: sweep.uri, "HOME": str(home)}
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log)
        started.append(process)
        wait_until(lambda: listens(port) or process.poll() is not None, why=(home / "log").read_text)
        assert process.poll() is None, (home / "log").read_text()
        return port, process

    yield _start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(30)


@pytest.fixture(scope="module")
def server(start):
    port, _ = start()
    return port


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


def handshake(port, host, *origins):
    """Ask for the page's WebSocket as a browser would; return the status."""
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        *(f"Origin: {origin}" for origin in origins),
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


@pytest.mark.parametrize(
    ("host", "origins", "status"),
    [
        ("localhost:{port}", ["http://localhost:{port}"], "101"),
        ("127.0.0.1:{port}", ["http://127.0.0.1:{port}"], "101"),
        ("localhost", ["http://localhost"], "101"),  # behind a proxy that keeps the name
        ("localhost", ["https://localhost"], "101"),  # and takes off the encryption
        ("localhost:443", ["https://localhost"], "101"),
        ("localhost:{port}", [], "101"),  # no browser
        ("localhost:{port}", ["http://localhost:1"], "403"),
        ("localhost:{port}", ["http://localhost"], "403"),
        ("localhost:{port}", ["http://127.0.0.1:{port}"], "403"),
        ("127.0.0.1:{port}", ["http://localhost:{port}"], "403"),
        ("localhost:{port}", ["http://0.0.0.0:{port}"], "403"),
        ("localhost:{port}", ["https://share.streamlit.io"], "403"),
        ("localhost:{port}", ["null"], "403"),
        ("localhost:{port}", [""], "403"),
        ("localhost:{port}", ["file://"], "403"),
        ("localhost:{port}", ["chrome-extension://localhost:{port}"], "403"),
        ("localhost:{port}", ["http://localhost:{port}/"], "403"),
    ],
)
def test_only_a_page_of_this_server_may_open_its_websocket(server, host, origins, status):
    said = [origin.format(port=server) for origin in origins]
    assert handshake(server, host.format(port=server), *said) == status


def test_behind_a_proxy_that_says_that_it_is_encrypted_a_page_that_is_not_is_another():
    assert is_own("https://lab.example", "lab.example", is_secure=True)
    assert not is_own("http://lab.example", "lab.example", is_secure=True)


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/_stcore/health", "/_stcore/host-config", "/no/such/file.js"]
)
def test_every_answer_tells_the_browser_what_it_may_not_do(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server, timeout=30)
    with closing(connection):
        asks = {"Host": f"localhost:{server}", "Origin": "http://localhost:1"}
        connection.request("GET", path, headers=asks)
        answer = connection.getresponse()
        content = answer.read()
    told = {name.lower(): value for name, value in answer.getheaders()}
    parts = dict(part.split(" ", 1) for part in told["content-security-policy"].split("; "))
    assert parts["default-src"] == "'self'"
    assert parts["frame-ancestors"] == parts["object-src"] == parts["frame-src"] == "'none'"
    assert re.fullmatch(r"'self' 'wasm-unsafe-eval' 'sha256-[\w+/]{43}='", parts["script-src"])
    assert parts["connect-src"] == f"'self' ws://localhost:{server} wss://localhost:{server}"
    assert (told["x-frame-options"], told["x-content-type-options"]) == ("DENY", "nosniff")
    assert told["referrer-policy"] == "no-referrer"
    assert "camera=()" in told["permissions-policy"]
    assert "access-control-allow-origin" not in told  # no other page may read it, be it of this machine
    if path == "/_stcore/host-config":
        assert json.loads(content)["allowedOrigins"] == [f"http://localhost:{server}"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/runs"), ("HEAD", "/"), ("GET", "/x/y")])
def test_every_page_loads_the_script_that_says_when_its_server_has_ended(server, method, path):
    with closing(http.client.HTTPConnection("127.0.0.1", server, timeout=30)) as connection:
        connection.request(method, path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        content = answer.read()
        assert (answer.getheader("etag"), answer.getheader("content-encoding")) == (None, None)
        own = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
        assert content.decode() == ("" if method == "HEAD" else with_files(own))
        connection.request("GET", "/_grokscope/ended.js")
        script = connection.getresponse()
        assert (script.status, script.getheader("cache-control")) == (200, "no-cache")
        assert b"grokscope up" in script.read()


@pytest.mark.browser
@pytest.mark.timeout(200, func_only=True)
def test_an_open_page_says_that_grokscope_has_ended_and_nothing_of_streamlit(start, open_page):
    port, process = start()
    page = open_page(f"http://localhost:{port}/run")
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg path")
    with page.expect_console_message(lambda message: "Streamlit still running" in message.text):
        process.terminate()
    page.wait_for_selector("#grokscope-ended")
    assert f"grokscope up --port {port} again" in page.locator("#grokscope-ended").inner_text()
    assert page.locator("[role=dialog]").count() == 0
    assert "treamlit" not in page.locator("body").inner_text()
    page.route("**/_stcore/health", lambda route: route.fulfill(status=200))  # somebody answers again
    page.wait_for_selector("#grokscope-ended", state="detached")


def test_a_name_of_the_server_that_is_none_gets_no_place_in_the_policy():
    assert "evil" not in policy("x; script-src http://evil.example", ())


@pytest.mark.browser
@pytest.mark.timeout(200, func_only=True)
def test_no_page_needs_what_the_policy_forbids(server, open_page):
    page = open_page(f"http://localhost:{server}/live", scheme="dark")
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('POLICY ' + e.violatedDirective + ' '"
        " + e.blockedURI + ' ' + e.sourceFile))"
    )
    for view in ("live", "runs", "compare", "interventions", "run", "measures", "health"):
        page.goto(f"http://localhost:{server}/{view}")
        page.wait_for_selector(SEEN.get(view, "[data-testid=stVegaLiteChart] svg path"))
    page.goto(f"http://localhost:{server}/compare")
    page.get_by_text("Data and figure").first.click()
    with page.expect_download() as download:
        page.locator(".st-key-compare_curves_CSV button").click()
    assert Path(download.value.path()).read_bytes().startswith(b"metric,step,value,run")
    assert [t[:300] for t in said if "POLICY" in t or "Content Security" in t] == []
    assert page.locator("[data-testid=stException]").count() == 0


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

"""Clusters that are not there, or not as they should be: one sentence each; and one of this machine's own."""

import re
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer

from grokscope.cli.main import app

SWEEP = Path(__file__).parents[2] / "data" / "sweep.parquet"
DETECT = ("detect", str(SWEEP), "--format", "json")
LISTENING = """
import os
from contextlib import suppress
from pathlib import Path
from grokscope.experiments.cluster.connection import connected

with connected() as ray:
    print(ray.get(ray.remote(lambda: 7).remote()))
    marks = ("/gcs_server", "/raylet", "ray::", "ray/_private")
    sockets = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if any(mark in (place / "cmdline").read_text() for mark in marks):
                sockets |= {os.readlink(link)[8:-1] for link in (place / "fd").iterdir()}
    lines = [line.split() for name in ("tcp", "tcp6") for line in open(f"/proc/net/{name}")]
    print(*sorted({line[1].split(":")[0] for line in lines if line[3] == "0A" and line[9] in sockets}))
"""


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def web_server():
    server = HTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def refused(grokscope, *options):
    status, out, err = grokscope(*DETECT, *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    return err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1; start one with 'ray start --head --port=1'"),
        ("head", "an address of a cluster is HOST:PORT, or auto, got 'head'; say HOST:6379"),
        ("ray://127.0.0.1:10001", "run the command on a node of the cluster"),
    ],
)
def test_an_address_where_no_cluster_is_is_one_sentence(grokscope, address, said):
    assert said in refused(grokscope, "--engine", "ray", "--address", address)


def test_another_server_than_a_cluster_is_told(grokscope, web_server):
    assert "no Ray cluster answers" in refused(grokscope, "--engine", "ray", "--address", web_server)


def test_an_address_alone_is_refused(grokscope):
    assert "--address belongs to --engine ray" in refused(grokscope, "--address", "127.0.0.1:1")


def test_where_ray_is_not_installed_the_command_that_installs_it_is_said(grokscope, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "pip install 'grokscope[ray]'" in refused(grokscope, "--engine", "ray")


def test_every_command_of_the_page_is_one_that_the_command_line_takes():
    page = (Path(__file__).parents[3] / "docs" / "cluster.md").read_text()
    lines = [line.strip() for line in page.splitlines() if re.match(r"\s*grokscope [a-z]", line)]
    known = typer.main.get_command(app).commands
    for line in lines:
        _, name, *words = shlex.split(line)
        known[name].make_context(name, words)
    assert len(lines) == 5


def test_a_cluster_of_this_machines_own_is_reachable_from_nowhere_else():
    told = subprocess.run([sys.executable, "-c", LISTENING], capture_output=True, text=True, check=True)
    answer, addresses = told.stdout.splitlines()
    assert answer == "7"
    assert set(addresses.split()) <= {"0100007F", "0000000000000000FFFF00000100007F"}, addresses
    assert addresses

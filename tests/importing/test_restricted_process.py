"""The process that parses foreign logs can neither reach anybody nor start anything."""

import subprocess
import sys

TRIED = """
import os, pty, resource, socket, subprocess
from grokscope.importing.limits import ImportingError, Limits, restrict

def send(how):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        how(one)

tries = {
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "bind": lambda: socket.create_server(("127.0.0.1", 0)),
    "sendto": lambda: send(lambda one: one.sendto(b"x", ("127.0.0.1", 9))),
    "sendmsg": lambda: send(lambda one: one.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))),
    "program": lambda: subprocess.run(["true"]),
    "shell": lambda: os.system("true"),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": os.fork,
    "terminal": pty.fork,
}
limits = Limits()
restrict(limits)
assert resource.getrlimit(resource.RLIMIT_AS)[0] <= limits.memory_bytes
assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
for name, attempt in tries.items():
    try:
        attempt()
    except ImportingError as error:
        assert "which no log needs" in str(error)
        print(name, "refused")
"""


def test_a_restricted_process_connects_to_nothing_and_starts_no_program():
    done = subprocess.run([sys.executable, "-c", TRIED], check=True, capture_output=True, text=True)
    names = ["connect", "bind", "sendto", "sendmsg", "program", "shell", "spawn", "exec", "fork", "terminal"]
    assert done.stdout.split("\n") == [*(f"{name} refused" for name in names), ""]

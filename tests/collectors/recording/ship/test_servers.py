"""Servers that answer badly or not at all, and what they and others get to see."""

import json
import os
import signal

import pytest

from grokscope.collectors.recording.ship import __main__ as program
from grokscope.collectors.recording.ship import ensure_shipper
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import TooSlow, Unavailable
from grokscope.collectors.recording.spool import Meta

HTML = b"<html><body>Please log in</body></html>"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "timed out"),
        ((200, {}, HTML), "not in a valid JSON format"),
        ((200, {}, b"[1, 2"), "not in a valid JSON format"),
        ((200, {}, b'["something else"]'), ""),
        ((401, {}, HTML), "401"),
        ((403, {}, b'{"error_code": "PERMISSION_DENIED", "message": "no"}'), "PERMISSION_DENIED"),
        ((404, {}, HTML), "404"),
        ((429, {"Retry-After": "86400"}, b""), "429"),
        ((500, {}, b""), "500"),
        ((200, {"Content-Length": "9999"}, b"{"), ""),
    ],
)
def test_whatever_a_server_answers_that_is_no_receipt_means_try_again(
    monkeypatch, fault_server, answer, says
):
    for name, value in {**program.MLFLOW_SETTINGS, "MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}.items():
        monkeypatch.setenv(name, value)
    fault_server.answer = answer
    store = f"http://ann:secret@{fault_server.address}"
    meta = Meta(run_id="r", store=store, experiment="e", name="n")
    with pytest.raises(Unavailable) as caught:
        MlflowRunStore(store).open_run(meta)
    assert len(fault_server.credentials) == 1  # and it is not the client that tries again, nor does it wait
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, TooSlow) == (answer is None)


def test_credentials_reach_the_server_and_neither_a_file_nor_an_argument(
    tmp_path, fault_server, new_spool, command_lines, wait_until
):
    home, address = tmp_path / "home", fault_server.address
    words = {"grokscope.collectors.recording.ship", str(home)}
    _, _, writer = new_spool(store=f"http://{address}")
    writer.points(0, 1000, {"m": 1.0})
    writer.close()
    ensure_shipper(home, f"http://ann:s3cr3t@{address}")
    try:
        wait_until(lambda: [c for c in fault_server.credentials if c])
        wait_until(lambda: list((home / "ship").glob("*.json")))
        assert "s3cr3t" not in str(command_lines())
        texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
        assert len(texts) > 3
        assert not [text for text in texts if b"s3cr3t" in text]
        (state,) = (home / "ship").glob("*.json")
        assert "500" in json.loads(state.read_text())["why"]
    finally:
        for pid in [pid for pid, arguments in command_lines().items() if words <= {*arguments}]:
            os.kill(pid, signal.SIGKILL)

"""The moving picture at the top of README: the real page, taken while the real demo trains.

``make picture`` writes docs/images/demo.webp. However long the training takes, half a minute shows it.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

BROWSERS = ("/usr/lib/chromium/chromium", "chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
SIZE = {"width": 1280, "height": 800}
WIDE = 960
FRAMES, FRAME_MS, LAST_MS = 96, 250, 5000
MOST_BYTES = 2 * 2**20
PATIENCE_S = 900
AT_REST = "() => !document.querySelector('[data-stale=true]')"


def main() -> int:
    """Train, take pictures, and write those that fit."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/demo.webp")
    with tempfile.TemporaryDirectory() as folder, _page(Path(folder)) as (page, training):
        frames = list(_frames(page, training))
    spread = [frames[round(i * (len(frames) - 1) / (FRAMES - 1))] for i in range(min(FRAMES, len(frames)))]
    for quality in (80, 65, 50, 35, 20):
        size = _write(spread, target, quality)
        if size <= MOST_BYTES:
            print(f"{target}: {len(spread)} of {len(frames)} frames, {size / 1e6:.2f} MB, quality {quality}")
            return 0
    print(f"{target} stays above {MOST_BYTES} bytes", file=sys.stderr)
    return 1


@contextmanager
def _page(folder: Path) -> Iterator[tuple[Page, "subprocess.Popen[bytes]"]]:
    """Yield the page of a dashboard beside which the demo trains, and the training's process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = f"sqlite:///{folder}/mlflow.db"
    command = [sys.executable, "-m", "grokscope.cli.main"]
    quiet = {
        "env": {**os.environ, "GROKSCOPE_HOME": str(folder / "home")},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    up = subprocess.Popen([*command, "up", "--store", store, "--port", str(port), "--no-browser"], **quiet)
    training = subprocess.Popen([*command, "demo", "--headless", "--store", store], **quiet)
    try:
        with sync_playwright() as playwright:
            path = next(filter(None, map(shutil.which, BROWSERS)))
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.set_default_timeout(PATIENCE_S * 1000)
            _open(page, f"http://127.0.0.1:{port}")
            yield page, training
            browser.close()
    finally:
        for process in (training, up):
            process.terminate()
            process.wait()


def _open(page: Page, address: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            page.goto(address)
        except PlaywrightError:  # the server is still starting
            time.sleep(0.5)
        else:
            break
    page.locator("[data-testid=stVegaLiteChart] svg path").first.wait_for()


def _frames(page: Page, training: "subprocess.Popen[bytes]") -> Iterator[Image.Image]:
    """Yield what is new on the page, looked at every second, until the training has ended and is drawn."""
    begun, ended, before = time.monotonic(), None, b""
    while time.monotonic() - begun < PATIENCE_S:
        page.wait_for_function(AT_REST)  # on a busy machine an older drawing stands there, faded, meanwhile
        content = page.screenshot()
        shot = Image.open(io.BytesIO(content)).convert("RGB")
        if content != before:
            yield shot.resize((WIDE, WIDE * SIZE["height"] // SIZE["width"]), Image.Resampling.LANCZOS)
        before = content
        if training.poll() is not None and ended is None:
            ended = time.monotonic()
        if ended is not None and time.monotonic() - ended > 8:
            return
        time.sleep(0.7)


def _write(frames: list[Image.Image], target: Path, quality: int) -> int:
    durations = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    first, *others = frames
    first.save(
        target, save_all=True, append_images=others, duration=durations, loop=0, quality=quality, method=4,
    )  # fmt: skip
    return target.stat().st_size


if __name__ == "__main__":
    sys.exit(main())

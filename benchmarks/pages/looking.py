"""What a person at the browser waits for, told from what is painted: the same probe for every tool."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from playwright.sync_api import Browser, Page

QUIET_MS, MOST_S = 800, 180.0
_STILL_CORE = 0.05
# Charts are painted on a canvas or are SVG: every stroke and every change of an SVG counts as paint.
_PROBE = """(() => {
  const seen = { last: 0, count: 0, acted: 0 };
  window.seenPaint = seen;
  const paint = () => { seen.last = performance.now(); seen.count += 1; };
  for (const name of ["stroke", "fill", "fillText", "drawImage", "fillRect"]) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...rest) { paint(); return own.apply(this, rest); };
  }
  for (const name of ["click", "wheel", "mouseup"])
    window.addEventListener(name, () => { seen.acted = performance.now(); }, { capture: true });
  const isSvg = (node) => node instanceof SVGElement && !node.closest("button");
  new MutationObserver((list) => list.some((one) => isSvg(one.target)) && paint())
    .observe(document, { subtree: true, childList: true, attributes: true });
})()"""


class NothingDrawnError(Exception):
    """A page that has drawn no chart in the time that it had."""


@dataclass(frozen=True, slots=True)
class Eye:
    """A page of charts that is looked at; ``chart`` is the selector of one."""

    page: Page
    chart: str

    @classmethod
    def opened(cls, browser: Browser, chart: str) -> "Eye":
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(MOST_S * 1000)
        page.add_init_script(_PROBE)
        return cls(page, chart)

    def first_chart(self, address: str) -> float:
        """Return seconds from asking for a page until a chart on it has been painted."""
        began = time.perf_counter()
        self.page.goto(address)
        while not (self._charts() and self._seen("count")):
            if time.perf_counter() - began > MOST_S:
                raise NothingDrawnError
            self.page.wait_for_timeout(20)
        return time.perf_counter() - began

    def paints(self) -> int:
        return int(self._seen("count"))

    def settle(self) -> None:
        """Wait until charts are there and nothing has been painted for a while."""
        deadline = time.monotonic() + MOST_S
        still = "() => performance.now() - window.seenPaint.last"
        while not (self._charts() and self.page.evaluate(still) > QUIET_MS):
            if time.monotonic() > deadline:
                raise NothingDrawnError
            self.page.wait_for_timeout(50)

    def change(self, act: Callable[[], None]) -> float | None:
        """Return seconds from an act to the last paint that it led to; ``None`` if it led to none."""
        self.settle()
        count = self.paints()
        act()
        deadline = time.monotonic() + 10
        while self.paints() == count and time.monotonic() < deadline:
            self.page.wait_for_timeout(10)
        if self.paints() == count:
            return None
        self.settle()
        return (self._seen("last") - self._seen("acted")) / 1000

    def wait_for_paint(self, most_s: float) -> bool:
        """Wait until something is painted; say whether it was."""
        count, deadline = self.paints(), time.monotonic() + most_s
        while self.paints() == count and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        return self.paints() > count

    def _charts(self) -> int:
        return self.page.locator(self.chart).count()

    def _seen(self, what: str) -> float:
        return self.page.evaluate(f"() => window.seenPaint.{what}")


@dataclass(frozen=True, slots=True)
class Idle:
    """A page that nobody touches: paints, and share of a core that its server takes."""

    paints: int
    core: float


def idle(eye: Eye, server: psutil.Process, seconds: float) -> Idle:
    """Look at a page for so long once its server has come to rest."""
    deadline = time.monotonic() + MOST_S
    while _watched(eye, server, 3).core > _STILL_CORE and time.monotonic() < deadline:
        pass
    eye.settle()
    return _watched(eye, server, seconds)


def memory(server: psutil.Process) -> float:
    """Return what a server and its children hold, in MB; what they share is counted once."""
    return sum(one.memory_full_info().pss for one in _tree(server)) / 1e6


def _watched(eye: Eye, server: psutil.Process, seconds: float) -> Idle:
    paints, used = eye.paints(), _seconds_used(server)
    eye.page.wait_for_timeout(seconds * 1000)
    return Idle(eye.paints() - paints, (_seconds_used(server) - used) / seconds)


def _seconds_used(server: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in _tree(server))


def _tree(server: psutil.Process) -> list[psutil.Process]:
    return [server, *server.children(recursive=True)]

"""The page Compare in a real browser: what mouse and keys do with its charts, without asking the server."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240, func_only=True)]

# Counts what the page says to the server from now on.
COUNTED = """
window.told = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (...given) { window.told++; return send.apply(this, given); };
"""
CHARTS = 6
WHOLE = "0 2000"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def address(new_training, curves, tmp_path_factory, free_port, running):
    """A dashboard on a store in which all has ended: nothing refreshes by itself."""
    folder = tmp_path_factory.mktemp("linked")
    training = new_training(folder / "mlflow.db")
    experiment = training.experiment("sweep")
    for name in ("decay", EVIL):
        for seed in range(2):
            params = {"group": name, "seed": seed, "compute.exposure.steps": 2000}
            training.run(experiment, f"{name} {seed}", curves(groks=name == "decay"), params=params)
    port = free_port()
    up = [sys.executable, "-m", "grokscope.cli.main", "up", "--store", training.uri]
    up += ["--port", str(port), "--no-browser"]
    environment = {**os.environ, "GROKSCOPE_HOME": str(folder / "home")}
    with running(up, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield f"http://localhost:{port}/compare"


@pytest.fixture(scope="module")
def compare(address, open_page):
    page = open_page(address)
    page.add_init_script(COUNTED)
    page.reload()
    expect(page.locator("[data-domain]")).to_have_count(CHARTS)
    page.wait_for_timeout(1500)  # until the last chart has found its size
    return page


@pytest.fixture(autouse=True)
def _whole(compare):
    yield
    compare.locator(".plot").first.focus()
    compare.keyboard.press("0")


def domains(page):
    return page.eval_on_selector_all("[data-domain]", "all => all.map(one => one.dataset.domain)")


def settled(page):
    page.wait_for_timeout(300)
    return domains(page)


def point(page, *, x=0.6, y=0.5):
    box = page.locator(".plot").first.bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def wheel(page, notches):
    page.wait_for_timeout(500)  # a wheel that has just scrolled the page goes on doing so
    for _ in range(abs(notches)):
        page.mouse.wheel(0, 120 if notches > 0 else -120)
        page.wait_for_timeout(60)


def after_the_next_poll(page):
    """Wait until the page has asked the server for news by itself: it does so again only seconds later."""
    page.evaluate("window.told = 0")
    for _ in range(120):
        if page.evaluate("window.told"):
            return
        page.wait_for_timeout(100)


def test_the_wheel_zooms_all_charts_alike_and_tells_the_server_nothing(compare):
    assert set(domains(compare)) == {WHOLE}
    after_the_next_poll(compare)
    compare.evaluate("window.told = 0")
    point(compare)
    wheel(compare, -4)
    zoomed = settled(compare)
    assert len(zoomed) == CHARTS
    assert len(set(zoomed)) == 1
    low, high = map(float, zoomed[0].split())
    assert 0 < low < high < 2000
    assert compare.evaluate("window.told") == 0


def test_a_double_click_shows_all_again(compare):
    point(compare)
    wheel(compare, -3)
    assert set(settled(compare)) != {WHOLE}
    box = compare.locator(".plot").first.bounding_box()
    compare.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert set(settled(compare)) == {WHOLE}


def test_a_drag_chooses_the_range_that_it_spans(compare):
    point(compare, x=0.4)
    compare.mouse.down()
    point(compare, x=0.7)
    compare.mouse.up()
    chosen = settled(compare)
    assert len(set(chosen)) == 1
    low, high = map(float, chosen[0].split())
    assert 0 < low < high < 2000


def test_keys_zoom_move_and_say_where_one_is(compare):
    compare.locator(".plot").first.focus()
    for key in ("+", "+", "ArrowRight"):
        compare.keyboard.press(key)
    low, high = map(float, settled(compare)[0].split())
    assert compare.locator(".said").text_content() == f"{round(low):,} – {round(high):,}"
    compare.keyboard.press("0")
    assert set(settled(compare)) == {WHOLE}


def test_the_table_under_the_pointer_has_a_row_a_group_as_plain_text(compare):
    point(compare)
    rows = compare.locator(".tooltip tr")
    expect(rows).to_have_count(3)
    assert rows.nth(0).inner_text().split("\t")[-3:] == ["mean", "lowest – highest", "runs"]
    names = {rows.nth(i).locator(".name").text_content() for i in (1, 2)}
    assert names == {"decay", EVIL}
    assert compare.locator(".tooltip img").count() == 0


def test_a_chart_is_added_and_removed_and_the_zoom_stays(compare):
    compare.locator(".plot").first.focus()
    compare.keyboard.press("+")
    zoomed = settled(compare)[0]
    compare.get_by_role("combobox", name="Charts").click()
    compare.get_by_role("option", name="weights/effective_rank/embedding").click()
    compare.keyboard.press("Escape")
    expect(compare.locator("[data-domain]")).to_have_count(CHARTS + 1)
    assert set(settled(compare)) == {zoomed}
    assert "compare_charts=weights%2Feffective_rank%2Fembedding" in compare.url
    compare.get_by_role("button", name="Remove: weight norm").click()
    expect(compare.locator("[data-domain]")).to_have_count(CHARTS)
    expect(compare.locator("[data-key='metric:weights/norm']")).to_have_count(0)


def heights(page):
    return page.eval_on_selector_all(".grip:not([hidden])", "all => all.map(one => +one.ariaValueNow)")


def test_the_lower_edge_of_a_chart_sets_the_height_of_all_and_the_address_keeps_it(compare):
    assert heights(compare) == [260] * 5
    grip = compare.locator(".grip").nth(2)  # in the second row: the pointer moves it by what two rows grow
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    compare.mouse.move(box["x"] + 50, box["y"] + 3)
    compare.mouse.down()
    compare.mouse.move(box["x"] + 50, box["y"] + 43)
    compare.wait_for_timeout(200)
    compare.mouse.up()
    assert heights(compare) == [280] * 5
    grip.press("ArrowUp")
    compare.wait_for_url("**compare_height=260*")
    assert heights(compare) == [260] * 5
    grip.dblclick()
    compare.wait_for_url(lambda url: "compare_height" not in url)


SIZES = """all => all.map(one => [...one.querySelectorAll("canvas")].map(canvas => canvas.clientHeight))"""


def sizes(page):
    """The heights of what each chart draws: its curves, and its axes with their titles."""
    return page.eval_on_selector_all(".chart", SIZES)


def test_charts_that_are_made_anew_have_room_for_their_axes_and_all_of_their_curves(compare):
    low = sizes(compare)
    grip = compare.locator(".grip").first
    for _ in range(4):
        grip.press("ArrowDown")
    compare.wait_for_url("**compare_height=340*")
    high = sizes(compare)
    for curves, axes in high:
        assert curves == axes
    for (_, axes), (_, before) in zip(high[:5], low[:5], strict=True):
        assert axes == pytest.approx(before + 80, abs=2)
    tick, names = compare.get_by_role("checkbox", name="decay", exact=True), compare.locator(".legend .name")
    for count in (1, 2):
        tick.click()
        expect(names).to_have_count(count)
        compare.wait_for_timeout(1000)  # until the last chart has been made anew
    assert sizes(compare)[:5] == high[:5]
    grip.dblclick()
    compare.wait_for_url(lambda url: "compare_height" not in url)


def test_along_a_metric_paths_are_read_at_a_step_and_zoomed_without_the_timeline(address, open_page):
    page = open_page(f"{address}?compare_over=a+metric&compare_along=weights/norm")
    expect(page.locator("[data-domain]")).to_have_count(CHARTS - 1)
    page.wait_for_timeout(1500)
    point(page, x=0.5, y=0.3)
    expect(page.locator(".tooltip tr")).to_have_count(5)
    assert page.locator(".tooltip .head").text_content().startswith("step ")
    assert page.locator(".tooltip tr").nth(0).inner_text().split("\t")[-2:] == ["value", "weight norm"]
    expect(page.locator(".spot:visible")).to_have_count(CHARTS - 2)
    wheel(page, -3)
    *paths, timeline = settled(page)
    assert (len(set(paths)), paths[0] != timeline, timeline) == (1, True, WHOLE)

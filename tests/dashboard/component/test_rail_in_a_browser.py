"""The rail's groups in a real browser: ticked, shown alone, compared with, looked into, by mouse and keys."""

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240, func_only=True)]
NAMES = ("<img src=x onerror=alert(1)>", "decay", "none")


@pytest.fixture(scope="module")
def address(new_training, curves, tmp_path_factory, free_port, running):
    """A dashboard on three groups of one run each."""
    folder = tmp_path_factory.mktemp("rail")
    training = new_training(folder / "mlflow.db")
    experiment = training.experiment("sweep")
    for name in NAMES:
        training.run(experiment, f"{name} 0", curves(groks=name == "decay"), params={"group": name})
    port = free_port()
    up = [sys.executable, "-m", "grokscope.cli.main", "up", "--store", training.uri]
    up += ["--port", str(port), "--no-browser"]
    environment = {**os.environ, "GROKSCOPE_HOME": str(folder / "home")}
    with running(up, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield f"http://localhost:{port}/compare"


@pytest.fixture
def page(address, open_page):
    page = open_page(address)
    expect(names(page)).to_have_text(list(NAMES))
    yield page
    page.context.close()


def names(page):
    """The names above the charts: the groups that are drawn."""
    return page.locator(".linked-charts .legend .name")


def box(page, name):
    return page.get_by_role("checkbox", name=name, exact=True)


def test_ticks_that_follow_each_other_at_once_all_hold(page):
    box(page, NAMES[0]).click()
    box(page, NAMES[1]).click()
    expect(names(page)).to_have_text([re.compile("^none")])
    expect(box(page, NAMES[0])).not_to_be_checked()
    expect(page).to_have_url(re.compile("hide=[0-9a-f]+%2C[0-9a-f]+"))
    page.reload()
    expect(names(page)).to_have_text([re.compile("^none")])
    expect(box(page, NAMES[1])).not_to_be_checked()


def test_a_group_is_shown_alone_with_one_button_and_all_with_the_next(page):
    only = page.get_by_role("button", name="Only decay", exact=True)
    only.click()
    expect(names(page)).to_have_text([re.compile("^decay")])
    expect(only).to_have_attribute("title", "Show all groups")
    only.click()
    expect(names(page)).to_have_text(list(NAMES))


def test_by_keys_a_group_is_hidden_made_the_baseline_and_left_for_one_of_its_runs(page):
    box(page, "decay").focus()
    page.keyboard.press("Space")
    expect(names(page)).to_have_text([NAMES[0], NAMES[2]])
    page.keyboard.press("Space")
    expect(names(page)).to_have_text(list(NAMES))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    compare = page.get_by_role("button", name="Compare others with this group")
    expect(compare).to_be_visible()
    compare.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".groups li").nth(1).locator(".mark")).to_be_visible()
    link = page.locator(".groups").get_by_role("link", name="decay 0")
    expect(link).to_have_attribute("href", re.compile(r"^run[?].*baseline=.*&runs=[0-9a-f]{32}$"))
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/run[?].*runs=[0-9a-f]{32}"))
    expect(page.locator(".dated")).to_be_visible()

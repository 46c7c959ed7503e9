"""The table of runs as a user's hands meet it: ticks by mouse and by keyboard, which stand in the address."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200, func_only=True)]

ROW = 36
STEPS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 600, 800, 1000]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Three runs that memorize at 10 and generalize at 400, 200 and 300."""
    client = MlflowClient(f"sqlite:///{tmp_path_factory.mktemp('runs')}/mlflow.db")
    experiment = client.create_experiment("three")
    for name, at in (("slow", 400), ("fast", 200), ("middling", 300)):
        run = client.create_run(experiment, run_name=name).info.run_id
        curves = [("train/accuracy", 10), ("test/accuracy", at)]
        points = [Metric(key, float(step >= rise), 1, step) for key, rise in curves for step in STEPS]
        client.log_batch(run, metrics=points, params=[Param("lr", str(at))])
        client.set_terminated(run)
    return client


@pytest.fixture(scope="module")
def address(client, tmp_path_factory, dashboard):
    with dashboard(client.tracking_uri, tmp_path_factory.mktemp("home")) as served:
        yield f"{served}/runs?experiment=three&runs_sort=run"


def runs_by_name(client):
    experiment = client.get_experiment_by_name("three").experiment_id
    return {run.info.run_name: run for run in client.search_runs([experiment])}


def press(page, row, *, x=17):
    """Click into a row of the table, or into its head (-1); a canvas has no elements to click at."""
    grid = page.locator(".st-key-runs_table [data-testid=stDataFrame]")
    grid.click(position={"x": x, "y": ROW * (row + 1) + ROW // 2})


def test_rows_are_ticked_by_mouse_and_by_keyboard_and_the_address_names_their_runs(
    client, address, open_page, wait_until
):
    page = open_page(address)
    page.wait_for_selector(".st-key-runs_table canvas")
    press(page, 0)
    expect(page.get_by_text("1 of 3 runs ticked")).to_be_visible()
    press(page, 2, x=200)
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text("2 of 3 runs ticked")).to_be_visible()
    ids = {name: run.info.run_id for name, run in runs_by_name(client).items()}
    wait_until(lambda: set(page.url.partition("runs=")[2].split("%2C")) == {ids["fast"], ids["slow"]})


def names(page):
    """The runs in the order of the rows, out of the table that the canvas has for who cannot see it."""
    cells = page.locator(".st-key-runs_table canvas td").all_text_contents()
    return [text for text in cells if text in ("fast", "middling", "slow")]


def test_the_order_of_rows_is_chosen_and_the_newest_first_is_no_part_of_the_address(
    address, open_page, wait_until
):
    page = open_page(address)
    wait_until(lambda: names(page) == ["fast", "middling", "slow"])
    page.locator(".st-key-runs_columns_box button").first.click()
    page.locator(".st-key-runs_sort_way").click()
    page.get_by_role("option", name="largest").click()
    wait_until(lambda: names(page) == ["slow", "middling", "fast"])
    page.locator(".st-key-runs_sort").click()
    page.get_by_role("option", name="the newest first").click()
    wait_until(lambda: names(page) == ["middling", "fast", "slow"])
    wait_until(lambda: "runs_sort=" not in page.url)

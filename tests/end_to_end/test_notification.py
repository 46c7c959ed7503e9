"""The browser tells of a new event while the page Live is open behind another one."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric
from playwright.sync_api import expect

from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200, func_only=True)]

# What the browser is asked to show; a page in Playwright always has the focus, which the script asks about.
SPY = """
window.shown = [];
window.Notification = class {
  static permission = PERMISSION;
  static requestPermission() { window.asked = true; return Promise.resolve(this.permission); }
  constructor(title, options) { window.shown.push([title, options.body]); }
};
document.hasFocus = () => window.isInFront === true;
"""
SWITCH = ".st-key-live_notify"


def log(client, run, rows):
    metrics = [Metric(metric, value, 1_000 + step, step) for metric, value, step in rows]
    client.log_batch(run, metrics=metrics)


@pytest.fixture
def training(tmp_path, dashboard):
    """The page Live of a run that has memorized so far, and a function that lets it generalize."""
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    run = client.create_run(client.create_experiment("e"), run_name="mine").info.run_id
    rows = synthetic_run(CurveRecipe(evaluations=60)).select("metric", "value", "step").rows()
    log(client, run, [row for row in rows if row[2] <= 1000])
    with dashboard(client.tracking_uri, tmp_path / "home") as served:
        yield f"{served}/", lambda: log(client, run, [row for row in rows if row[2] > 1000])


def opened(open_page, address, permission):
    page = open_page(address)
    page.context.grant_permissions(["notifications"] if permission == "granted" else [])
    page.add_init_script(SPY.replace("PERMISSION", repr(permission)))
    page.reload()
    expect(page.locator(".st-key-live_newest")).to_contain_text("mine")
    page.locator(SWITCH).get_by_text("Notify me of new events").click()
    expect(page.locator(f"{SWITCH} input")).to_be_checked()
    page.wait_for_timeout(3000)  # until the script has seen what is no news
    return page


def test_a_new_event_is_shown_once_and_a_denied_browser_is_said_so(training, open_page, wait_until):
    address, generalize = training
    page, denied = (opened(open_page, address, permission) for permission in ("granted", "denied"))
    expect(denied.get_by_text("This browser does not allow notifications of this page")).to_be_visible()
    expect(page.get_by_text("This browser does not allow")).to_be_hidden()
    assert page.evaluate("window.shown") == []
    generalize()
    wait_until(lambda: page.evaluate("window.shown.length") > 0)
    title, said = page.evaluate("window.shown")[-1]
    assert title == "grokscope"
    assert "mine" in said
    assert "generaliz" in said
    assert denied.evaluate("window.shown") == []
